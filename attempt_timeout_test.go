package tencenthttp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trickle gives one byte a second, until the request's context ends.
type trickle struct {
	ctx  context.Context
	left int
}

func (b *trickle) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(time.Second):
		b.left--
		p[0] = 'x'
		return 1, nil
	}
}

func (b *trickle) Close() error { return nil }

// joined is a body that begins with text.
func joined(text string, rest io.Reader) io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader(text), rest))
}

func TestAttempt_TimeoutSparesTheBody(t *testing.T) {
	stream := func(req *http.Request) (*http.Response, error) {
		resp := answer(200, "")
		resp.ContentLength = -1
		resp.Header.Set("Content-Type", "text/event-stream")
		resp.Body = &trickle{req.Context(), 60}
		return resp, nil
	}
	large := func(req *http.Request) (*http.Response, error) { // the look ends at its limit; more follows
		resp := answer(200, "")
		resp.ContentLength = -1
		resp.Body = joined("{          ", &trickle{req.Context(), 60})
		return resp, nil
	}
	for name, stepOf := range map[string]step{"C25 a stream": stream, "C25 longer than the look": large} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(stepOf)
				rt := newTransport(t, base, WithAttemptTimeout(2*time.Second), WithMaxInspect(10))
				resp, err := rt.RoundTrip(newRequest(t, "ChatCompletions", `{}`))
				require.NoError(t, err)
				data, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.GreaterOrEqual(t, len(data), 60)
				assert.Error(t, base.requests[0].Context().Err(), "released at the end")
				resp.Body.Close()

				resp, err = rt.RoundTrip(newRequest(t, "ChatCompletions", `{}`))
				require.NoError(t, err)
				assert.NoError(t, base.requests[1].Context().Err())
				resp.Body.Close()
				assert.Error(t, base.requests[1].Context().Err(), "released by Close")
			})
		})
	}
	t.Run("C25 an answer that the look has wholly read", func(t *testing.T) {
		base := scripted(reply(200, success))
		resp, err := newTransport(t, base, WithAttemptTimeout(time.Minute)).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Error(t, base.requests[0].Context().Err())
	})
	t.Run("C25 the look itself is bound", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			base := scripted(func(req *http.Request) (*http.Response, error) {
				resp := answer(200, "")
				resp.ContentLength = 100
				resp.Body = joined("{", &trickle{req.Context(), 60})
				return resp, nil
			}, reply(200, success))
			resp, err := newTransport(t, base, WithAttemptTimeout(2500*time.Millisecond)).RoundTrip(newRequest(t, "DescribeRegions", `{}`))
			require.NoError(t, err)
			assert.Equal(t, success, readAll(t, resp))
			assert.Equal(t, 2500*time.Millisecond, time.Since(start))
		})
	})
}

// The time may be up just when the last byte has come: the attempt has failed then, whatever the answer says.
func TestAttemptTimeout_TheAnswerComesWholeButTooLate(t *testing.T) {
	for name, body := range map[string]string{"success": success, "failure": apiError("InvalidParameter")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(*http.Request) (*http.Response, error) {
					resp, rest := answer(200, ""), strings.NewReader(body)
					resp.ContentLength, resp.Body = -1, io.NopCloser(readerFunc(func(p []byte) (int, error) {
						time.Sleep(2 * time.Second) // and does not look at its context
						return rest.Read(p)
					}))
					return resp, nil
				}
				base := scripted(slow, reply(200, success))
				resp, err := newTransport(t, base, WithAttemptTimeout(time.Second)).RoundTrip(newRequest(t, "DescribeInstances", ""))
				require.NoError(t, err)
				assert.Equal(t, success, readAll(t, resp))
				assert.Equal(t, 2, base.attempts())
			})
		})
	}
}
