package tencenthttp

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestTransport_C26_AnAttemptTimeoutIsNotTheCallersCancel(t *testing.T) {
	giveUp := func(cause error) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			ctx, stop := context.WithCancelCause(ctx)
			time.AfterFunc(1500*time.Millisecond, func() { stop(cause) })
			return ctx
		}
	}
	tooLong := errors.New("the user has closed the window")
	for _, tt := range []struct {
		name     string
		action   string
		context  func(context.Context) context.Context
		attempts int
		reason   Reason
		is       error
		timeout  bool
	}{
		{"attempt timeout", "DescribeInstances", nil, 3, ReasonAttemptsUsedUp, nil, true},
		{"attempt timeout, not idempotent", "RunInstances", nil, 1, ReasonNotIdempotent, nil, true},
		{"canceled in the second attempt", "DescribeInstances", giveUp(nil), 2, ReasonCanceled, context.Canceled, false},
		{"canceled with a cause", "DescribeInstances", giveUp(tooLong), 2, ReasonCanceled, tooLong, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(hang)
				rt := newTransport(t, base, WithAttemptTimeout(time.Second), WithMaxAttempts(3))
				req := newRequest(t, tt.action, `{}`)
				if tt.context != nil {
					req = req.WithContext(tt.context(req.Context()))
				}
				_, err := rt.RoundTrip(req)
				failure, ok := errors.AsType[*CallError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, tt.reason, failure.Reason)
				assert.Equal(t, tt.attempts, failure.Attempts)
				assert.Equal(t, tt.attempts, base.attempts())
				assert.Equal(t, tt.timeout, failure.Timeout())
				assert.NotErrorIs(t, err, context.DeadlineExceeded, "that would be the caller's")
				if tt.is != nil {
					assert.ErrorIs(t, err, tt.is)
				}
			})
		})
	}
}

func TestTransport_C13_CancelInMidBackoff(t *testing.T) {
	for name, cancel := range map[string]func(req *http.Request) *http.Request{
		"context":        cancelContextAfter(2 * time.Second),
		"Request.Cancel": closeCancelAfter(2 * time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := answer(200, apiError("RequestLimitExceeded"))
				body := last.Body.(*trackedBody)
				var done DoneInfo
				base := scripted(give(last))
				rt := newTransport(t, base, withDelay(30*time.Second), WithoutPacing(), withDone(&done))
				begin := time.Now()
				resp, err := rt.RoundTrip(cancel(newRequest(t, "DescribeInstances", `{}`)))
				require.Nil(t, resp, "C9")
				require.ErrorIs(t, err, context.Canceled)
				failure, ok := errors.AsType[*CallError](err)
				require.True(t, ok)
				assert.Equal(t, ReasonCanceled, failure.Reason)
				assert.Equal(t, "RequestLimitExceeded", failure.Code)
				assert.Equal(t, "id-of-RequestLimitExceeded", failure.RequestID)
				assert.Contains(t, err.Error(), "not sent again after 1 attempt (canceled), last answer RequestLimitExceeded (RequestId id-of-RequestLimitExceeded)")
				assert.Equal(t, 2*time.Second, time.Since(begin), "C27: at once")
				assert.Equal(t, ReasonCanceled, done.Reason)
				assert.EqualValues(t, 1, body.closes.Load(), "nobody else closes it")
			})
		})
	}
}

func cancelContextAfter(d time.Duration) func(*http.Request) *http.Request {
	return func(req *http.Request) *http.Request {
		ctx, stop := context.WithCancel(req.Context())
		time.AfterFunc(d, stop)
		return req.WithContext(ctx)
	}
}

func closeCancelAfter(d time.Duration) func(*http.Request) *http.Request {
	return func(req *http.Request) *http.Request {
		cancel := make(chan struct{})
		time.AfterFunc(d, func() { close(cancel) })
		req.Cancel = cancel
		return req
	}
}

// neverLimiter never agrees.
type neverLimiter struct{}

func (neverLimiter) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// stalledBody blocks until it is closed.
type stalledBody struct {
	closed chan struct{}
	once   *sync.Once
}

func (b stalledBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, http.ErrBodyReadAfterClose
}

func (b stalledBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func TestTransport_C27_CancelReturnsAtOnce(t *testing.T) {
	const long = time.Minute
	throttled := reply(200, apiError("RequestLimitExceeded"))
	for _, tt := range []struct {
		name  string
		opts  []Option
		steps []step
	}{
		{"in an attempt", nil, []step{hang}},
		{"in backoff", []Option{withDelay(long), WithoutPacing()}, []step{throttled}},
		{"in Retry-After", nil, []step{func(*http.Request) (*http.Response, error) {
			resp := answer(429, "{}")
			resp.Header.Set("Retry-After", "10")
			return resp, nil
		}}},
		{"in line for a rate limit", []Option{WithRateLimit(0.02, 1)}, []step{throttled}},
		{"in a limiter's Wait", []Option{WithLimiter(func(Target) Limiter { return neverLimiter{} })}, []step{throttled}},
		{"in line for the breaker", []Option{WithBreaker(BreakerSettings{MinCalls: 1, OpenFor: 30 * time.Second, HoldFor: long})}, []step{reply(200, apiError("InternalError"))}},
	} {
		for name, cancel := range map[string]func(*http.Request) *http.Request{
			"context":        cancelContextAfter(2 * time.Second),
			"Request.Cancel": closeCancelAfter(2 * time.Second),
		} {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // which sees to it that no goroutine is left: C29
					rt := newTransport(t, scripted(tt.steps...), append(tt.opts, WithMaxElapsedTime(0))...)
					begin := time.Now()
					resp, err := rt.RoundTrip(cancel(newRequest(t, "DescribeInstances", `{}`)))
					require.Nil(t, resp)
					failure, ok := errors.AsType[*CallError](err)
					require.True(t, ok, "%v", err)
					assert.Equal(t, ReasonCanceled, failure.Reason)
					assert.Equal(t, 2*time.Second, time.Since(begin))
					assertAtRest(t, rt)
				})
			})
		}
	}
	t.Run("in draining", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			resp := answer(503, "")
			resp.Header.Set("Content-Type", "text/html")
			resp.ContentLength, resp.Body = -1, stalledBody{make(chan struct{}), &sync.Once{}}
			base := scripted(give(resp), hang)
			begin := time.Now()
			_, err := newTransport(t, base).RoundTrip(cancelContextAfter(20 * time.Millisecond)(newRequest(t, "DescribeInstances", `{}`)))
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, 20*time.Millisecond, time.Since(begin))
		})
	})
}

func TestTransport_ACanceledCallMakesNoAttempt(t *testing.T) {
	for name, cancel := range map[string]func(*http.Request) *http.Request{"context": cancelContextAfter(0), "Request.Cancel": closeCancelAfter(0)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, success))
				req := cancel(newRequest(t, "DescribeInstances", `{}`))
				time.Sleep(time.Millisecond)
				_, err := newTransport(t, base).RoundTrip(req)
				require.ErrorIs(t, err, context.Canceled)
				assert.Zero(t, base.attempts())
			})
		})
	}
}

// assertAtRest checks that nothing is left behind by calls that are over: no timer, nobody in line, nothing held.
func assertAtRest(t testing.TB, rt *Transport) {
	t.Helper()
	for _, target := range rt.targets.all() {
		assert.Zero(t, target.calls.Load())
		p := target.pacer
		p.mu.Lock()
		assert.True(t, p.line.empty())
		assert.False(t, p.timer != nil && p.timer.Stop(), "the pacer's timer runs")
		p.mu.Unlock()
		assert.Zero(t, p.flying.Load(), "an attempt that nobody has brought back")
	}
	for _, e := range rt.endpoints.all() {
		e.hold.mu.Lock()
		assert.True(t, e.hold.line.empty())
		assert.False(t, e.hold.timer != nil && e.hold.timer.Stop(), "the breaker's timer runs")
		e.hold.mu.Unlock()
	}
}

func TestTransport_C29_NothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")), reply(200, apiError("InternalError")), reply(200, apiError("RequestLimitExceeded")), reply(200, success))
		rt := newTransport(
			t, base, WithRateLimit(1, 1), WithAttemptTimeout(time.Hour), WithLimiter(func(Target) Limiter { return rate.NewLimiter(1, 1) }),
			WithBreaker(BreakerSettings{MinCalls: 1, HoldFor: time.Minute}), withDelay(time.Second), WithMaxElapsedTime(0),
		)
		for range 5 {
			req := newRequest(t, "DescribeInstances", `{}`)
			req.Cancel = make(chan struct{}) // as http.Client.Timeout once set it
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			readAll(t, resp)
		}
		synctest.Wait()
		assert.Equal(t, 8, base.attempts())
		assertAtRest(t, rt)
		for _, req := range base.requests {
			assert.Error(t, req.Context().Err(), "the attempt's context is released")
		}
	})
}
