package tencenthttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAttempt_MendsABaseThatBreaksTheContract(t *testing.T) {
	t.Run("C9 response and error", func(t *testing.T) {
		both := answer(200, success)
		base := scripted(func(*http.Request) (*http.Response, error) { return both, errLost })
		resp, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
		assert.Nil(t, resp)
		require.ErrorIs(t, err, errLost)
		assert.EqualValues(t, 1, both.Body.(*trackedBody).closes.Load())
	})
	t.Run("C9 neither", func(t *testing.T) {
		base := scripted(give(nil), reply(200, success))
		resp, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
		assert.Nil(t, resp)
		require.ErrorIs(t, err, errNoResponse)
		assert.Equal(t, 1, base.attempts(), "the call may have run")
	})
	t.Run("C9 nil Body", func(t *testing.T) {
		base := scripted(give(&http.Response{StatusCode: 200}))
		for _, opts := range [][]Option{nil, {WithAttemptTimeout(time.Minute)}} {
			resp, err := newTransport(t, base, opts...).RoundTrip(newRequest(t, "RunInstances", `{}`))
			require.NoError(t, err)
			require.NotNil(t, resp.Body)
			assert.Empty(t, readAll(t, resp))
		}
	})
	t.Run("C9 error and a response without a Body", func(t *testing.T) {
		base := scripted(func(*http.Request) (*http.Response, error) { return &http.Response{}, errLost })
		resp, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
		assert.Nil(t, resp)
		require.ErrorIs(t, err, errLost)
	})
}

// reporting is a step that tells the request's trace what it does, as net/http does, and then fails.
func reporting(events ...string) step {
	return func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		for _, event := range events {
			switch {
			case event == "read":
				io.ReadFull(req.Body, make([]byte, 1))
			case event == "resend":
				body, _ := req.GetBody()
				io.Copy(io.Discard, body)
			case event == "stall":
				<-req.Context().Done()
				return nil, req.Context().Err()
			case trace == nil:
			case event == "GetConn":
				trace.GetConn("cvm.tencentcloudapi.com:443")
			case event == "GotConn":
				trace.GotConn(httptrace.GotConnInfo{})
			case event == "WroteHeaders":
				trace.WroteHeaders()
			}
		}
		return nil, errLost
	}
}

func TestAttempt_IsProvablyUnsent(t *testing.T) {
	inMemory := func(t *testing.T) *http.Request { return newRequest(t, "RunInstances", `{}`) }
	noBody := func(t *testing.T) *http.Request { return newRequest(t, "RunInstances", "") }
	emptyBody := func(t *testing.T) *http.Request {
		req := newRequest(t, "RunInstances", "")
		req.Body = http.NoBody
		return req
	}
	streamed := func(t *testing.T) *http.Request {
		return (&bodies{content: "{}"}).into(newRequest(t, "RunInstances", ""))
	}
	recorded := func(t *testing.T) *http.Request { return withoutGetBody(newRequest(t, "RunInstances", `{}`)) }
	rows := []struct {
		name   string
		make   func(*testing.T) *http.Request
		events []string
		unsent bool
	}{
		{"in memory, untouched", inMemory, nil, true},
		{"in memory, read", inMemory, []string{"read"}, false},
		{"in memory, resent by net/http", inMemory, []string{"resend"}, false},
		{"in memory, stalled before there was a connection", inMemory, []string{"GetConn", "stall"}, true},
		{"in memory, stalled on a connection", inMemory, []string{"GetConn", "GotConn", "stall"}, false},
		{"in memory, stalled in a base without traces", inMemory, []string{"stall"}, false},
		{"streamed, untouched", streamed, nil, true},
		{"streamed, read", streamed, []string{"read"}, false},
		{"streamed, resent by net/http", streamed, []string{"resend"}, false},
		{"recorded, untouched", recorded, nil, true},
		{"recorded, read", recorded, []string{"read"}, false},
		{"no body, no trace", noBody, nil, false},
		{"no body, no connection", noBody, []string{"GetConn"}, true},
		{"no body, connection without headers", noBody, []string{"GetConn", "GotConn"}, true},
		{"no body, headers written", noBody, []string{"GetConn", "GotConn", "WroteHeaders"}, false},
		{"http.NoBody, no trace", emptyBody, nil, false},
		{"http.NoBody, no connection", emptyBody, []string{"GetConn"}, true},
		{"http.NoBody, headers written", emptyBody, []string{"GetConn", "GotConn", "WroteHeaders"}, false},
	}
	for _, row := range rows {
		for _, timeout := range []bool{false, true} {
			if !timeout && strings.Contains(row.name, "stalled") {
				continue
			}
			name := row.name + map[bool]string{true: ", with a timeout"}[timeout]
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var opts []Option
					if timeout {
						opts = append(opts, WithAttemptTimeout(time.Second))
					}
					base := rawScripted(reporting(row.events...), func(req *http.Request) (*http.Response, error) {
						if req.Body != nil {
							data, err := io.ReadAll(req.Body)
							assert.NoError(t, err)
							assert.Equal(t, max(0, req.ContentLength), int64(len(data)))
						}
						return answer(200, success), nil
					})
					resp, err := newTransport(t, base, opts...).RoundTrip(row.make(t))
					if row.unsent {
						require.NoError(t, err)
						assert.Equal(t, success, readAll(t, resp))
						assert.Equal(t, 2, base.attempts())
						return
					}
					require.Error(t, err)
					assert.Equal(t, 1, base.attempts(), "the call may have run")
				})
			})
		}
	}
}

// HTTP/2 returns at once when it is canceled; its writer may read the body a moment longer. The race detector watches here.
func TestAttempt_LeavesABodyAloneThatACanceledBaseStillReads(t *testing.T) {
	rows := []struct {
		name   string
		opts   []Option
		change func(*http.Request) *http.Request
	}{
		{"C3 attempt timeout", []Option{WithAttemptTimeout(time.Second)}, func(req *http.Request) *http.Request { return req }},
		{"C3 the caller's deadline", nil, func(req *http.Request) *http.Request {
			ctx, cancel := context.WithTimeout(req.Context(), time.Second)
			context.AfterFunc(ctx, cancel)
			return req.WithContext(ctx)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				finished := make(chan struct{})
				base := rawScripted(func(req *http.Request) (*http.Response, error) {
					<-req.Context().Done()
					go func() {
						defer close(finished)
						io.Copy(io.Discard, req.Body)
					}()
					return nil, req.Context().Err()
				})
				_, err := newTransport(t, base, row.opts...).RoundTrip(row.change(newRequest(t, "RunInstances", `{"InstanceCount":1}`)))
				require.Error(t, err)
				<-finished
				assert.Equal(t, 1, base.attempts())
			})
		})
	}
}

func TestAttempt_LeavesABodyAloneThatIsStillOnItsWay(t *testing.T) {
	finished := make(chan struct{})
	base := rawScripted(func(req *http.Request) (*http.Response, error) { // C3 C16: an early answer, and cut off
		go func() {
			defer close(finished)
			io.Copy(io.Discard, req.Body)
		}()
		resp := answer(200, "")
		resp.ContentLength = 100
		resp.Body = joined("{", errReader{io.ErrUnexpectedEOF})
		return resp, nil
	})
	_, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{"InstanceCount":1}`))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	<-finished
	assert.Equal(t, 1, base.attempts())
}

// duplex is the body of a 101.
type duplex struct {
	trackedBody
	written strings.Builder
}

func (d *duplex) Write(p []byte) (int, error) { return d.written.Write(p) }

func TestAttempt_LeavesASwitchedProtocolAlone(t *testing.T) {
	for _, contentType := range []string{"", "application/json"} {
		t.Run("C19 type "+contentType, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := &duplex{trackedBody: trackedBody{Reader: strings.NewReader("hello")}}
				switched := answer(101, "")
				switched.ContentLength, switched.Body = -1, conn
				switched.Header.Set("Content-Type", contentType)
				base := scripted(give(switched))
				req := newRequest(t, "", "")
				req.Method = http.MethodGet
				req.Header.Set("Connection", "keep-alive, Upgrade")
				req.Header.Set("Upgrade", "websocket")
				resp, err := newTransport(t, base, WithAttemptTimeout(time.Second)).RoundTrip(req)
				require.NoError(t, err)
				assert.Same(t, conn, resp.Body)
				assert.Implements(t, (*io.ReadWriteCloser)(nil), resp.Body)
				assert.Zero(t, conn.reads.Load())
				assert.Equal(t, 1, base.attempts())
				time.Sleep(time.Minute)
				assert.NoError(t, base.requests[0].Context().Err(), "the connection is the caller's")
			})
		})
	}
	t.Run("C19 a 101 that nobody asked for", func(t *testing.T) {
		conn := &duplex{trackedBody: trackedBody{Reader: strings.NewReader("hello")}}
		switched := answer(101, "")
		switched.ContentLength, switched.Body = -1, conn
		base := scripted(give(switched))
		resp, err := newTransport(t, base, WithAttemptTimeout(time.Minute)).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Same(t, conn, resp.Body)
		assert.NoError(t, base.requests[0].Context().Err())
	})
	t.Run("C19 an Upgrade that is refused", func(t *testing.T) {
		refused := answer(400, apiError("InvalidParameter"))
		base := scripted(give(refused))
		req := newRequest(t, "", "")
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		resp, err := newTransport(t, base).RoundTrip(req)
		require.NoError(t, err)
		assert.Same(t, refused, resp)
		assert.Zero(t, refused.Body.(*trackedBody).reads.Load())
	})
}

func TestAttempt_PanicOfTheBaseGoesOn(t *testing.T) {
	boom := errors.New("boom")
	rows := []struct {
		name string
		step step
	}{
		{"C31 in RoundTrip", func(*http.Request) (*http.Response, error) { panic(boom) }},
		{"C31 in Read of the answer", func(*http.Request) (*http.Response, error) {
			resp := answer(200, success)
			resp.Body.(*trackedBody).Reader = panicReader{boom}
			return resp, nil
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var answered *trackedBody
				base := rawScripted(func(req *http.Request) (*http.Response, error) {
					resp, err := row.step(req)
					answered = resp.Body.(*trackedBody)
					return resp, err
				}, reply(200, success))
				rt := newTransport(t, base, WithAttemptTimeout(time.Minute), WithBreaker(BreakerSettings{MinCalls: 1}))
				source := &bodies{content: "{}"}
				assert.PanicsWithValue(t, boom, func() { rt.RoundTrip(source.into(newRequest(t, "RunInstances", ""))) })
				source.assertClosedOnce(t)
				if answered != nil {
					assert.EqualValues(t, 1, answered.closes.Load())
				}
				assert.Error(t, base.requests[0].Context().Err(), "the attempt's context is released")
				for _, target := range rt.targets.all() {
					assert.Zero(t, target.use().calls.Load())
				}
				counts := rt.endpoints.all()[0].breaker.gate.Counts()
				assert.Equal(t, counts.Requests, counts.TotalExclusions, "the breaker was told")
				resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
				require.NoError(t, err)
				readAll(t, resp)
			})
		})
	}
}

type panicReader struct{ value any }

func (r panicReader) Read([]byte) (int, error) { panic(r.value) }

func TestAttempt_KeepsTheCallersTrace(t *testing.T) {
	var got []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn:      func(string) { got = append(got, "GetConn") },
		GotConn:      func(httptrace.GotConnInfo) { got = append(got, "GotConn") },
		WroteHeaders: func() { got = append(got, "WroteHeaders") },
	})
	base := rawScripted(reporting("GetConn", "GotConn", "WroteHeaders"))
	_, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", "").WithContext(ctx))
	require.Error(t, err)
	assert.Equal(t, []string{"GetConn", "GotConn", "WroteHeaders"}, got, "C18")
}
