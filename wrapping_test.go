package tencenthttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransport_C34_TwoOfOurs(t *testing.T) {
	for _, tt := range []struct {
		name     string
		inner    []Option
		step     step
		prepare  int // calls before
		want     error
		attempts int // in all
	}{
		{"breaker open below", []Option{WithBreaker(BreakerSettings{MinCalls: 1}), WithMaxAttempts(1)}, fail(&unsentError{errLost}), 0, ErrBreakerOpen, 1},
		{"rate limited below", []Option{WithRateLimit(0.01, 1)}, reply(200, success), 1, ErrRateLimited, 1},
		{"limiter below", []Option{WithLimiter(func(Target) Limiter { return refusing{} })}, reply(200, success), 0, ErrRateLimited, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(tt.step)
				inner := newTransport(t, base, tt.inner...)
				outer := newTransport(t, inner, WithBreaker(BreakerSettings{MinCalls: 5}))
				for range tt.prepare {
					resp, err := outer.RoundTrip(newRequest(t, "DescribeInstances", "{}"))
					require.NoError(t, err)
					resp.Body.Close()
				}
				_, err := outer.RoundTrip(newRequest(t, "DescribeInstances", "{}"))
				require.ErrorIs(t, err, tt.want)
				assert.Equal(t, tt.attempts, base.attempts())
				failure := isReason(t, err, ReasonFatal)
				assert.LessOrEqual(t, failure.Attempts, 2, "the refusal from below is not retried")
				if tt.want == ErrBreakerOpen {
					assert.InDelta(t, 5*time.Second, failure.RetryAfter, 10, "C35: it still says how long")
				}
				assert.False(t, failure.Temporary())
				for range 20 {
					outer.RoundTrip(newRequest(t, "DescribeInstances", "{}"))
				}
				assert.Zero(t, outer.Stats()[0].Breaker, "neutral for the outer breaker")
			})
		})
	}
	t.Run("answers pass both", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(reply(200, apiError("InternalError")))
			outer := newTransport(t, newTransport(t, base, WithMaxAttempts(2)), WithMaxAttempts(3))
			resp, err := outer.RoundTrip(newRequest(t, "RunInstances", "{}"))
			require.NoError(t, err)
			assert.Equal(t, apiError("InternalError"), readAll(t, resp))
			assert.Equal(t, 6, base.attempts(), "each retries on its own")
			assert.Equal(t, "{}", base.bodies[5])
		})
	})
	t.Run("Unwrap", func(t *testing.T) {
		base := scripted(reply(200, success))
		inner := newTransport(t, base)
		outer := newTransport(t, inner)
		assert.Same(t, inner, outer.Unwrap())
		outer.CloseIdleConnections()
		assert.Equal(t, 1, base.idle)
	})
	t.Run("the timeout of the outer attempt is none of the inner's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(hang)
			inner := newTransport(t, base, WithAttemptTimeout(time.Hour))
			outer := newTransport(t, inner, WithAttemptTimeout(time.Second), WithMaxAttempts(3))
			_, err := outer.RoundTrip(newRequest(t, "DescribeInstances", "{}"))
			isReason(t, err, ReasonAttemptsUsedUp)
			assert.Equal(t, 3, base.attempts(), "the inner one gives up at once")
		})
	})
}

// bodyOf is a request's body that counts its closes.
type bodyOf struct {
	io.Reader
	mu     sync.Mutex
	closes int
}

func (b *bodyOf) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closes++
	return nil
}

// Whoever panics: the panic goes on, and nothing stays behind.
func TestTransport_C31_Panics(t *testing.T) {
	boom := errors.New("boom")
	panicIn := func(hooks Hooks) []Option { return []Option{WithHooks(hooks)} }
	for _, tt := range []struct {
		name     string
		opts     []Option
		steps    []step
		attempts int // that reached the base
	}{
		{"base", nil, []step{func(*http.Request) (*http.Response, error) { panic(boom) }}, 1},
		{"base, second attempt", nil, []step{reply(200, apiError("InternalError")), func(*http.Request) (*http.Response, error) { panic(boom) }}, 2},
		{"body of the answer", nil, []step{func(*http.Request) (*http.Response, error) {
			resp := answer(200, "")
			resp.ContentLength, resp.Body = -1, io.NopCloser(readerFunc(func([]byte) (int, error) { panic(boom) }))
			return resp, nil
		}}, 1},
		{"classifier", []Option{WithClassifier(func(Outcome) Verdict { panic(boom) })}, nil, 1},
		{"limiter", []Option{WithLimiter(func(Target) Limiter { return limiterFunc(func(context.Context) error { panic(boom) }) })}, nil, 0},
		{"start hook", panicIn(Hooks{Start: func(context.Context, StartInfo) context.Context { panic(boom) }}), nil, 0},
		{"send hook", panicIn(Hooks{Send: func(context.Context, SendInfo) context.Context { panic(boom) }}), nil, 0},
		{"attempt hook", panicIn(Hooks{Attempt: func(context.Context, AttemptInfo) { panic(boom) }}), nil, 1},
		{"retry hook", panicIn(Hooks{Retry: func(context.Context, RetryInfo) { panic(boom) }}), []step{reply(200, apiError("InternalError"))}, 1},
		{"done hook", panicIn(Hooks{Done: func(context.Context, DoneInfo) { panic(boom) }}), nil, 1},
		{"refusal hook", append(panicIn(Hooks{Refusal: func(context.Context, RefusalInfo) { panic(boom) }}), WithLimiter(func(Target) Limiter { return refusing{} })), nil, 0},
		{"breaker hook", append(panicIn(Hooks{BreakerChange: func(context.Context, BreakerChangeInfo) { panic(boom) }}),
			WithBreaker(BreakerSettings{MinCalls: 1})), []step{reply(200, apiError("InternalError"))}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.steps == nil {
					tt.steps = []step{reply(200, success)}
				}
				var bodies []*trackedBody
				reached := 0
				script := scripted(tt.steps...)
				base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					reached++
					resp, err := script.RoundTrip(req)
					if body, ok := resp.Body.(*trackedBody); ok {
						bodies = append(bodies, body)
					}
					return resp, err
				})
				rt := newTransport(t, base, append([]Option{WithRateLimit(1, 5), WithAttemptTimeout(time.Minute)}, tt.opts...)...)
				own := &bodyOf{Reader: http.NoBody}
				req := newRequest(t, "DescribeInstances", "")
				req.Body, req.ContentLength = own, 0
				func() {
					defer func() { assert.Equal(t, boom, recover(), "the panic goes on") }()
					rt.RoundTrip(req)
				}()
				assert.Equal(t, tt.attempts, reached)
				assert.Equal(t, 1, own.closes, "C2")
				for _, body := range bodies {
					assert.Positive(t, body.closes.Load(), "the answer is closed")
				}
				for _, target := range rt.targets.all() {
					assert.InDelta(t, 5-reached, target.pacer.ceiling.limiter.Tokens(), 0.001, "C38: tokens spent = attempts")
				}
				for _, e := range rt.endpoints.all() {
					counts := e.breaker.gate.Counts()
					assert.Equal(t, counts.Requests, counts.TotalSuccesses+counts.TotalFailures+counts.TotalExclusions, "C37: the breaker is told")
				}
				assertAtRest(t, rt)
			})
		})
	}
}
