package tencenthttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodies makes the bodies of one request, and remembers them.
type bodies struct {
	content string
	mu      sync.Mutex
	made    []*trackedBody
}

func (b *bodies) make() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body := &trackedBody{Reader: strings.NewReader(b.content)}
	b.made = append(b.made, body)
	return body, nil
}

// into gives req the first body, and a GetBody that makes the others.
func (b *bodies) into(req *http.Request) *http.Request {
	req.Body, _ = b.make()
	req.GetBody = b.make
	req.ContentLength = int64(len(b.content))
	return req
}

// assertClosedOnce checks all bodies made so far, without those that are in flight by design.
func (b *bodies) assertClosedOnce(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, body := range b.made {
		assert.EqualValues(t, 1, body.closes.Load(), "closes of body %d", i+1)
	}
}

func TestTransport_ClosesTheBodyOnce(t *testing.T) {
	open := func(t *testing.T) []Option { return []Option{WithBreaker(BreakerSettings{MinCalls: 1})} }
	canceled := func(req *http.Request) *http.Request {
		ctx, cancel := context.WithCancel(req.Context())
		cancel()
		return req.WithContext(ctx)
	}
	brokenGetBody := func(req *http.Request) *http.Request {
		if req.GetBody != nil {
			req.GetBody = func() (io.ReadCloser, error) { return nil, errLost }
		}
		return req
	}
	rows := []struct {
		name   string
		base   *script
		opts   func(*testing.T) []Option
		before int // calls that are made before the one that counts
		change func(*http.Request) *http.Request
		panics bool
	}{
		{name: "C2 success", base: scripted(reply(200, success))},
		{name: "C2 retries", base: scripted(reply(200, apiError("InternalError")), reply(200, apiError("OperationDenied.MutexTaskRunning")), reply(200, success))},
		{name: "C2 error of the base", base: scripted(fail(errLost))},
		{name: "C2 error of the base that reads and closes nothing", base: rawScripted(fail(errLost))},
		{name: "C2 breaker open", base: scripted(reply(500, "")), opts: open, before: 1},
		{name: "C2 breaker opens meanwhile", base: scripted(reply(200, apiError("InternalError"))), opts: open},
		{
			name: "C2 limiter refusal", base: scripted(reply(200, success)), before: 1,
			opts: func(*testing.T) []Option { return []Option{WithRateLimit(0.001, 1)} },
		},
		{name: "C2 context already done", base: scripted(reply(200, success)), change: canceled},
		{name: "C2 GetBody error", base: scripted(reply(200, apiError("InternalError"))), change: brokenGetBody},
		{name: "C2 GetBody error after an error", base: rawScripted(fail(errLost)), change: brokenGetBody},
		{name: "C2 C31 panic in the base", base: rawScripted(func(*http.Request) (*http.Response, error) { panic("base") }), panics: true},
		{
			name: "C2 C31 panic in the classifier", base: scripted(reply(200, success)), panics: true,
			opts: func(*testing.T) []Option {
				return []Option{WithClassifier(func(Outcome) Verdict { panic("classifier") })}
			},
		},
		{
			name: "C2 C31 panic in a limiter", base: scripted(reply(200, success)), panics: true,
			opts: func(*testing.T) []Option { return []Option{WithLimiter(func(Target) Limiter { return panicking{} })} },
		},
		{
			name: "C2 C31 panic in WithLimiter's function", base: scripted(reply(200, success)), panics: true,
			opts: func(*testing.T) []Option { return []Option{WithLimiter(func(Target) Limiter { panic("newer") })} },
		},
		{
			name: "C2 C31 panic in the start hook", base: scripted(reply(200, success)), panics: true,
			opts: func(*testing.T) []Option {
				return []Option{WithHooks(Hooks{Start: func(context.Context, StartInfo) context.Context { panic("start") }})}
			},
		},
		{
			name: "C2 C31 panic in the send hook", base: scripted(reply(200, success)), panics: true,
			opts: func(*testing.T) []Option {
				return []Option{WithHooks(Hooks{Send: func(context.Context, SendInfo) context.Context { panic("send") }})}
			},
		},
		{name: "C2 C9 no answer at all", base: scripted(give(nil))},
	}
	for _, row := range rows {
		for _, getBody := range []bool{true, false} {
			name := row.name + map[bool]string{true: ", with GetBody", false: ", without GetBody"}[getBody]
			t.Run(name, func(t *testing.T) {
				base := &script{raw: row.base.raw, steps: row.base.steps}
				var opts []Option
				if row.opts != nil {
					opts = row.opts(t)
				}
				rt := newTransport(t, base, opts...)
				for range row.before {
					resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
					require.NoError(t, err)
					readAll(t, resp)
				}
				source := &bodies{content: `{"InstanceCount":1}`}
				req := source.into(newRequest(t, "RunInstances", ""))
				if !getBody {
					req.GetBody = nil
				}
				if row.change != nil {
					req = row.change(req)
				}
				call := func() {
					if resp, err := rt.RoundTrip(req); err == nil {
						readAll(t, resp)
					}
				}
				if row.panics {
					assert.Panics(t, call)
				} else {
					call()
				}
				source.assertClosedOnce(t)
				if !getBody {
					assert.Len(t, source.made, 1)
				}
			})
		}
	}
}

type panicking struct{}

func (panicking) Wait(context.Context) error { panic("limiter") }

func TestTransport_GivesEachAttemptABodyOfItsOwn(t *testing.T) {
	const content = `{"ClientToken":"abc","InstanceCount":1}`
	rows := []struct {
		name   string
		change func(*http.Request) *http.Request
	}{
		{"C3 C42 GetBody", func(req *http.Request) *http.Request { return req }},
		{"C3 C42 GetBody, not in memory", func(req *http.Request) *http.Request { return (&bodies{content: content}).into(req) }},
		{"C5 C42 recording", withoutGetBody},
		{"C5 C42 recording of unknown length", func(req *http.Request) *http.Request {
			req.ContentLength = -1
			return withoutGetBody(req)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var tail []string
			half := func(req *http.Request) (*http.Response, error) { // reads a half of the body, and the rest after the next attempt
				part := make([]byte, len(content)/2)
				_, err := io.ReadFull(req.Body, part)
				require.NoError(t, err)
				return answer(200, apiError("InternalError")), nil
			}
			whole := func(req *http.Request) (*http.Response, error) {
				data, err := io.ReadAll(req.Body)
				require.NoError(t, err)
				tail = append(tail, string(data))
				req.Body.Close()
				return answer(200, apiError("OperationDenied.MutexTaskRunning")), nil
			}
			base := rawScripted(half, half, whole)
			req := row.change(newRequest(t, "RunInstances", content))
			length := req.ContentLength
			resp, err := newTransport(t, base).RoundTrip(req)
			require.NoError(t, err)
			readAll(t, resp)
			assert.Equal(t, []string{content, content}, tail)
			seen := map[io.ReadCloser]bool{}
			for _, sent := range base.requests {
				assert.Equal(t, length, sent.ContentLength)
				assert.False(t, seen[sent.Body], "a body was used twice")
				seen[sent.Body] = true
			}
		})
	}
}

func TestTransport_GetBodyFails(t *testing.T) {
	broken := errors.New("file is gone")
	t.Run("C4 after a response", func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")))
		req := newRequest(t, "RunInstances", `{}`)
		req.GetBody = func() (io.ReadCloser, error) { return nil, broken }
		resp, err := newTransport(t, base).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, apiError("InternalError"), readAll(t, resp))
		assert.Equal(t, 1, base.attempts())
	})
	t.Run("C4 after an error", func(t *testing.T) {
		base := rawScripted(fail(errLost)) // nothing read, so nothing sent
		req := newRequest(t, "RunInstances", `{}`)
		req.GetBody = func() (io.ReadCloser, error) { return nil, broken }
		resp, err := newTransport(t, base).RoundTrip(req)
		require.Nil(t, resp)
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, err, errLost)
		var call *CallError
		require.ErrorAs(t, err, &call)
		assert.Equal(t, ReasonBodyNotReplayable, call.Reason)
		assert.Equal(t, 1, base.attempts())
	})
	t.Run("C4 the body ends in an error", func(t *testing.T) {
		req := newRequest(t, "RunInstances", "")
		req.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), errReader{broken}))
		req.ContentLength = 8
		base := scripted(reply(200, success))
		_, err := newTransport(t, base, WithIdempotentActions("*")).RoundTrip(req)
		require.ErrorIs(t, err, broken)
		assert.Equal(t, 1, base.attempts(), "never a half body")
	})
}

// errReader gives nothing but an error.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestTransport_BodylessRequestsStayBodyless(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"C6 nil body": nil, "C6 http.NoBody": http.NoBody} {
		t.Run(name, func(t *testing.T) {
			base := rawScripted(reply(200, apiError("InternalError")), reply(200, success))
			req := newRequest(t, "DescribeRegions", "")
			req.Body = body
			req.TransferEncoding = []string{"identity"}
			resp, err := newTransport(t, base).RoundTrip(req)
			require.NoError(t, err)
			readAll(t, resp)
			require.Equal(t, 2, base.attempts())
			for _, sent := range base.requests {
				assert.True(t, sent.Body == body)
				assert.Zero(t, sent.ContentLength)
				assert.Equal(t, []string{"identity"}, sent.TransferEncoding)
			}
		})
	}
}

func TestUnwrapInMemory(t *testing.T) {
	rows := []struct {
		name string
		body io.ReadCloser
		want bool
	}{
		{"strings.Reader", io.NopCloser(strings.NewReader("x")), true},
		{"bytes.Reader", io.NopCloser(bytes.NewReader([]byte("x"))), true},
		{"bytes.Buffer", io.NopCloser(bytes.NewBufferString("x")), true},
		{"another reader", io.NopCloser(io.LimitReader(strings.NewReader("x"), 1)), false},
		{"another reader that writes", io.NopCloser(struct {
			io.Reader
			io.WriterTo
		}{}), false},
		{"another closer", &trackedBody{}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, inMemory(row.body)) })
	}
}
