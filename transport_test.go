package tencenthttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
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
	rt, err := NewTransport(base, append([]Option{noDelay}, opts...)...)
	require.NoError(t, err)
	return rt
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
