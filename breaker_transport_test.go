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

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failing is a base that fails until it is healed.
type failing struct {
	mu     sync.Mutex
	step   step
	served int
}

func (f *failing) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.served++
	next := f.step
	f.mu.Unlock()
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	return next(req)
}

func (f *failing) become(next step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.step = next
}

func (f *failing) attempts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served
}

func TestTransport_C35_BreakerOpenIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &failing{step: reply(200, apiError("InternalError"))}
		var done DoneInfo
		var refusals []RefusalInfo
		rt := newTransport(
			t, base, WithBreaker(BreakerSettings{MinCalls: 3}), WithRateLimit(1, 3), withDone(&done),
			WithHooks(Hooks{Refusal: func(_ context.Context, info RefusalInfo) { refusals = append(refusals, info) }}),
		)
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		assert.Equal(t, apiError("InternalError"), readAll(t, resp), "C10: the last answer, for it says more")
		assert.Equal(t, ReasonBreakerOpen, done.Reason)
		assert.Equal(t, 3, base.attempts(), "not a fourth")

		time.Sleep(2 * time.Second)
		for range 100 {
			_, err = rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.ErrorIs(t, err, ErrBreakerOpen)
			require.ErrorIs(t, err, gobreaker.ErrOpenState)
		}
		failure, ok := errors.AsType[*CallError](err)
		require.True(t, ok)
		assert.Equal(t, ReasonBreakerOpen, failure.Reason)
		assert.Zero(t, failure.Attempts)
		assert.InDelta(t, 3*time.Second, failure.RetryAfter, 10, "says how long")
		assert.False(t, failure.Timeout())
		assert.False(t, failure.Temporary())
		assert.Equal(t, "tencenthttp: cvm DescribeInstances in ap-guangzhou: not sent (breaker open for another 3s)", err.Error())
		assert.Equal(t, 3, base.attempts())
		require.Len(t, refusals, 101)
		assert.Equal(t, 4, refusals[0].Attempt)
		assert.Equal(t, "InternalError", refusals[0].Code)
		assert.Equal(t, 1, refusals[100].Attempt)
		assert.InDelta(t, 3*time.Second, refusals[100].RetryAfter, 10)

		// It spent no token: two are there again after two seconds.
		for _, target := range rt.targets.all() {
			assert.InDelta(t, 2, target.pacer.ceiling.limiter.Tokens(), 0.001)
		}

		time.Sleep(3*time.Second + 1)
		base.become(reply(200, success))
		resp, err = rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, gobreaker.StateClosed, rt.Stats()[0].Breaker)
	})
}

func TestTransport_C36_NoProbeWedgesTheBreaker(t *testing.T) {
	for _, hold := range []time.Duration{0, time.Minute} {
		for _, tt := range []struct {
			name  string
			probe step
			call  func(*http.Request) *http.Request
		}{
			{"canceled", hang, cancelContextAfter(time.Second)},
			{"Request.Cancel", hang, closeCancelAfter(time.Second)},
			{"panics", func(*http.Request) (*http.Response, error) { panic("probe") }, nil},
			{"times out", hang, nil},
			{"throttled", reply(200, apiError("RequestLimitExceeded")), nil},
			{"fatal error", fail(context.Canceled), nil},
			{"neither a response nor an error", give(nil), nil},
		} {
			name := tt.name
			if hold > 0 {
				name += ", others wait"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base := &failing{step: reply(200, apiError("InternalError"))}
					rt := newTransport(
						t, base, WithBreaker(BreakerSettings{MinCalls: 1, HoldFor: hold}), WithMaxAttempts(1),
						WithAttemptTimeout(2*time.Second), WithMaxElapsedTime(0),
					)
					call := func(change func(*http.Request) *http.Request) (err error) {
						defer func() {
							if p := recover(); p != nil {
								err = errors.New("panic: " + p.(string))
							}
						}()
						req := newRequest(t, "RunInstances", `{}`)
						if change != nil {
							req = change(req)
						}
						resp, err := rt.RoundTrip(req)
						if err == nil {
							resp.Body.Close()
						}
						return err
					}
					require.NoError(t, call(nil))
					base.become(tt.probe)
					time.Sleep(5*time.Second + 1)
					begin := time.Now()
					probed := make(chan struct{})
					go func() {
						call(tt.call)
						close(probed)
					}()
					synctest.Wait()
					base.become(reply(200, success))
					if hold == 0 {
						<-probed
						time.Sleep(5*time.Second + 1)
					}
					assert.NoError(t, call(nil))
					assert.Less(t, time.Since(begin), 12*time.Second)
					<-probed
					assert.Equal(t, gobreaker.StateClosed, rt.Stats()[0].Breaker)
					assertAtRest(t, rt)
				})
			})
		}
	}
}

// C37: whatever becomes of an attempt, the breaker hears of it once.
func TestTransport_C37_OneOutcomeForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := []step{
			reply(200, success), reply(200, apiError("InternalError")), reply(200, apiError("AuthFailure")), reply(429, ""), reply(502, ""),
			fail(errLost), fail(&unsentError{errLost}), hang, func(*http.Request) (*http.Response, error) { panic("base") },
		}
		base := scripted(steps...)
		rt := newTransport(t, base, WithAttemptTimeout(time.Second), WithBreaker(BreakerSettings{MinCalls: 1000, Window: time.Hour}))
		for range steps {
			func() {
				defer func() { recover() }()
				if resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`)); err == nil {
					resp.Body.Close()
				}
			}()
		}
		time.Sleep(time.Second)
		e := rt.endpoints.all()[0]
		e.breaker.gate.State() // brings the counts up to date
		counts := e.breaker.gate.Counts()
		assert.EqualValues(t, base.attempts(), counts.Requests)
		assert.EqualValues(t, counts.Requests, counts.TotalSuccesses+counts.TotalFailures+counts.TotalExclusions)
	})
}
