package tencenthttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// step is what a scripted base does with one attempt.
type step func(req *http.Request) (*http.Response, error)

// script is a base RoundTripper that does one step for each attempt, and the last one again and again. Like net/http it reads
// and closes every body first, unless it is raw, and sets Response.Request.
type script struct {
	raw   bool
	steps []step

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string // what was read of each attempt's body
	idle     int      // calls of CloseIdleConnections
}

func scripted(steps ...step) *script    { return &script{steps: steps} }
func rawScripted(steps ...step) *script { return &script{raw: true, steps: steps} }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	var err error
	if req.Body != nil && !s.raw {
		body, err = io.ReadAll(req.Body)
		req.Body.Close()
	}
	s.mu.Lock()
	next := s.steps[min(len(s.requests), len(s.steps)-1)]
	s.requests = append(s.requests, req)
	s.bodies = append(s.bodies, string(body))
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	resp, err := next(req)
	if resp != nil && resp.Request == nil {
		resp.Request = req
	}
	return resp, err
}

func (s *script) CloseIdleConnections() { s.idle++ }

// attempts returns how many requests the base has had.
func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// reply is a step that answers with JSON.
func reply(status int, body string) step {
	return func(*http.Request) (*http.Response, error) { return answer(status, body), nil }
}

// give is a step that answers with resp, which can be used once.
func give(resp *http.Response) step {
	return func(*http.Request) (*http.Response, error) { return resp, nil }
}

// fail is a step that gives no answer.
func fail(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

const success = `{"Response":{"TotalCount":1,"RequestId":"3c140219-cfe9-470e-b241-907877d6fb03"}}`

// apiError returns the body of an answer with that error code.
func apiError(code string) string {
	return fmt.Sprintf(`{"Response":{"Error":{"Code":%q,"Message":"no luck"},"RequestId":"id-of-%s"}}`, code, code)
}

// answer returns a response with a JSON body that is a *trackedBody.
func answer(status int, body string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)),
		Body:          &trackedBody{Reader: strings.NewReader(body)},
	}
}

// trackedBody counts what is done to a body. Reading it after Close is an error, as with net/http.
type trackedBody struct {
	io.Reader
	reads, closes atomic.Int32
}

func (b *trackedBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	if b.closes.Load() > 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.Reader.Read(p)
}

func (b *trackedBody) Close() error {
	b.closes.Add(1)
	return nil
}

// newRequest returns a TC3 request as the SDK sends it, signed now. It has a GetBody, and no body if body is empty.
func newRequest(t testing.TB, action, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://cvm.tencentcloudapi.com/", reader)
	require.NoError(t, err)
	sign(req, action)
	return req
}

// newForm returns a request of signature v1, with its parameters in the body.
func newForm(t testing.TB, form string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(form))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// withoutGetBody leaves a request with nothing but its body to read, which is none that net/http knows.
func withoutGetBody(req *http.Request) *http.Request {
	req.GetBody = nil
	req.Body = &trackedBody{Reader: req.Body}
	return req
}

// sign sets the headers of signature v3.
func sign(req *http.Request, action string) {
	now := time.Now()
	req.Header.Set("Authorization", tc3Scheme+" Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/"+now.UTC().Format("2006-01-02")+
		"/cvm/tc3_request, SignedHeaders=content-type;host, Signature=c492e8e41437e97a620b728c301bb8d17e7dc0c17eeabce80c20cd70fc3a78ff")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	req.Header.Set("X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("X-TC-Version", "2017-03-12")
}

// newTransport returns a Transport that does not wait between attempts, unless opts say so.
func newTransport(t testing.TB, base http.RoundTripper, opts ...Option) *Transport {
	t.Helper()
	noDelay := WithBackOff(func() backoff.BackOff { return &backoff.ZeroBackOff{} })
	rt, err := NewTransport(base, slices.Concat([]Option{noDelay}, opts, []Option{exactly})...)
	require.NoError(t, err)
	return rt
}

// exactly makes a breaker stay open for just OpenFor, without the chance in it.
var exactly = optionFunc(func(c *config) { c.breaker = c.breaker.exactly() })

func (s BreakerSettings) exactly() BreakerSettings {
	s = s.withDefaults()
	s.OpenFor *= 2
	s.Rand = func() float64 { return 0 }
	return s
}

// readAll returns a response's body, and closes it.
func readAll(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(data)
}

var errLost = errors.New("connection lost")

func TestTransport_ForwardsAnAnswer(t *testing.T) {
	base := scripted(reply(200, success))
	resp, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
	require.NoError(t, err)
	assert.Equal(t, success, readAll(t, resp))
	assert.Equal(t, []string{`{}`}, base.bodies)
}

func TestTransport_RetriesWhatMayBeRetried(t *testing.T) {
	base := scripted(reply(200, apiError("RequestLimitExceeded")), reply(200, apiError("InternalError")), reply(200, success))
	resp, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{"InstanceCount":1}`))
	require.NoError(t, err)
	assert.Equal(t, success, readAll(t, resp))
	assert.Equal(t, []string{`{"InstanceCount":1}`, `{"InstanceCount":1}`, `{"InstanceCount":1}`}, base.bodies)
}

func TestTransport_LeavesTheRequestAlone(t *testing.T) {
	rows := []struct {
		name string
		make func(t *testing.T) *http.Request
	}{
		{"C1 body with GetBody", func(t *testing.T) *http.Request { return newRequest(t, "RunInstances", `{}`) }},
		{"C1 body without GetBody", func(t *testing.T) *http.Request { return withoutGetBody(newRequest(t, "RunInstances", `{}`)) }},
		{"C1 no body", func(t *testing.T) *http.Request { return newRequest(t, "RunInstances", "") }},
		{"C1 http.NoBody", func(t *testing.T) *http.Request {
			req := newRequest(t, "RunInstances", "")
			req.Body = http.NoBody
			return req
		}},
		{"C1 unknown length, own Host, trailer", func(t *testing.T) *http.Request {
			req := withoutGetBody(newRequest(t, "RunInstances", `{}`))
			req.ContentLength, req.Host, req.TransferEncoding = -1, "other.example", []string{"chunked"}
			req.Trailer = http.Header{"X-Sum": nil}
			return req
		}},
		{"C1 form of signature v1", func(t *testing.T) *http.Request { return newForm(t, "Action=RunInstances&Region=ap-guangzhou") }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			base := scripted(reply(200, apiError("InternalError")), fail(errLost), reply(200, success))
			rt := newTransport(t, base, WithAttemptTimeout(time.Minute), WithIdempotentActions("*"))
			req := row.make(t)
			before, header, url, trailer := *req, req.Header.Clone(), *req.URL, req.Trailer.Clone()
			resp, err := rt.RoundTrip(req)
			if err == nil {
				readAll(t, resp)
			}
			assert.Greater(t, base.attempts(), 1)
			assert.Equal(t, header, req.Header)
			assert.Equal(t, url, *req.URL)
			assert.Equal(t, trailer, req.Trailer)
			assert.Same(t, before.URL, req.URL)
			assert.True(t, before.Body == req.Body, "Body")
			assert.Equal(t, reflect.ValueOf(before.GetBody).Pointer(), reflect.ValueOf(req.GetBody).Pointer())
			assert.True(t, before.Context() == req.Context(), "context")
			before.GetBody, req.GetBody = nil, nil // not comparable
			before.Body, req.Body = nil, nil       // read meanwhile
			assert.Equal(t, before, *req)
			for _, sent := range base.requests {
				assert.NotSame(t, req, sent)
				assert.Equal(t, before.ContentLength, sent.ContentLength)
				assert.Equal(t, before.TransferEncoding, sent.TransferEncoding)
			}
		})
	}
}

func TestTransport_CloseIdleConnections(t *testing.T) {
	t.Run("C30 reaches the base from http.Client", func(t *testing.T) {
		base := scripted(reply(200, success))
		rt := newTransport(t, base)
		(&http.Client{Transport: rt}).CloseIdleConnections()
		assert.Equal(t, 1, base.idle)
		assert.Same(t, base, rt.Unwrap())
	})
	t.Run("C30 base without it", func(t *testing.T) {
		base := roundTripFunc(reply(200, success))
		rt := newTransport(t, base)
		assert.NotPanics(t, rt.CloseIdleConnections)
	})
	t.Run("C30 nil base", func(t *testing.T) {
		rt := newTransport(t, nil)
		assert.Same(t, http.DefaultTransport, rt.Unwrap())
		assert.NotPanics(t, rt.CloseIdleConnections)
	})
}

// roundTripFunc is a base with nothing but RoundTrip.
type roundTripFunc step

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestTransport_ZeroValueForwards(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, apiError("InternalError"))
	}))
	defer server.Close()
	var rt Transport
	resp, err := (&http.Client{Transport: &rt}).Get(server.URL)
	require.NoError(t, err, "C30")
	assert.Equal(t, apiError("InternalError"), readAll(t, resp))
	assert.Same(t, http.DefaultTransport, rt.Unwrap())
	assert.Empty(t, rt.Stats())
	rt.CloseIdleConnections()
}
