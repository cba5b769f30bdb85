package tencenthttp

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type contextKey struct{}

// newsOf gives hooks that note everything they are told.
func newsOf(note func(context.Context, any)) Hooks {
	return Hooks{
		Attempt:       func(ctx context.Context, info AttemptInfo) { note(ctx, info) },
		Retry:         func(ctx context.Context, info RetryInfo) { note(ctx, info) },
		Refusal:       func(ctx context.Context, info RefusalInfo) { note(ctx, info) },
		BreakerChange: func(ctx context.Context, info BreakerChangeInfo) { note(ctx, info) },
		Done:          func(ctx context.Context, info DoneInfo) { note(ctx, info) },
	}
}

func TestHooks_AreToldEverythingInItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var news []any
		base := scripted(
			after(time.Second, reply(200, apiError("RequestLimitExceeded"))), after(time.Second, fail(errLost)),
			reply(502, "{}"), reply(200, success),
		)
		rt := newTransport(t, base, withDelay(2*time.Second), WithoutPacing(), WithBreaker(BreakerSettings{MinCalls: 2, OpenFor: 3 * time.Second, HoldFor: time.Minute}),
			WithHooks(newsOf(func(ctx context.Context, info any) {
				assert.Equal(t, "mine", ctx.Value(contextKey{}), "the caller's context")
				news = append(news, info)
			})))
		req := newRequest(t, "DescribeInstances", `{}`)
		resp, err := rt.RoundTrip(req.WithContext(context.WithValue(req.Context(), contextKey{}, "mine")))
		require.NoError(t, err)
		resp.Body.Close()

		target := targetOf(req)
		change := func(from, to gobreaker.State, openFor time.Duration) BreakerChangeInfo {
			return BreakerChangeInfo{Host: target.Host, Region: target.Region, From: from, To: to, OpenFor: openFor}
		}
		throttled := AttemptInfo{
			Target: target, Host: target.Host, Attempt: 1, Verdict: Verdict{Class: ClassRetryable, Throttled: true}, StatusCode: 200,
			Code: "RequestLimitExceeded", RequestID: "id-of-RequestLimitExceeded", Latency: time.Second,
		}
		lost := AttemptInfo{Target: target, Host: target.Host, Attempt: 2, Verdict: Verdict{Class: ClassIdempotent, Fault: true}, Err: errLost, Latency: time.Second, Waits: Waits{Backoff: 2 * time.Second}}
		bad := AttemptInfo{Target: target, Host: target.Host, Attempt: 3, Verdict: Verdict{Class: ClassIdempotent, Fault: true}, StatusCode: 502, Waits: Waits{Backoff: 2 * time.Second}}
		good := AttemptInfo{Target: target, Host: target.Host, Attempt: 4, StatusCode: 200, RequestID: "3c140219-cfe9-470e-b241-907877d6fb03", Waits: Waits{Backoff: 2 * time.Second, Breaker: time.Second + 1}}
		assert.Equal(t, []any{
			throttled,
			RetryInfo{throttled, 2 * time.Second},
			lost,
			RetryInfo{lost, 2 * time.Second},
			bad, change(gobreaker.StateClosed, gobreaker.StateOpen, 3*time.Second),
			RetryInfo{bad, 2 * time.Second},
			change(gobreaker.StateOpen, gobreaker.StateHalfOpen, 0),
			good, change(gobreaker.StateHalfOpen, gobreaker.StateClosed, 0),
			DoneInfo{
				Target: target, Attempts: 4, Reason: ReasonSuccess, StatusCode: 200,
				RequestID: "3c140219-cfe9-470e-b241-907877d6fb03", Elapsed: 9*time.Second + 1,
				Waits: Waits{Backoff: 6 * time.Second, Breaker: time.Second + 1},
			},
		}, news)
	})
}

func TestHooks_ARefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var news []any
		rt := newTransport(t, scripted(reply(200, success)), WithRateLimit(1, 1), WithMaxWait(time.Millisecond),
			WithHooks(newsOf(func(_ context.Context, info any) { news = append(news, info) })))
		req := newRequest(t, "DescribeInstances", "")
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		resp.Body.Close()
		_, err = rt.RoundTrip(req)
		require.Error(t, err)
		require.Len(t, news, 4)
		assert.Equal(t, RefusalInfo{Target: targetOf(req), Attempt: 1, Reason: ReasonRateLimited, RetryAfter: time.Second}, news[2])
		assert.Equal(t, DoneInfo{Target: targetOf(req), Reason: ReasonRateLimited, Refused: true, RetryAfter: time.Second, Err: err}, news[3])
	})
}

func TestHooks_ACancelIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var news []any
		rt := newTransport(t, scripted(hang), WithHooks(newsOf(func(_ context.Context, info any) { news = append(news, info) })))
		_, err := rt.RoundTrip(cancelContextAfter(time.Second)(newRequest(t, "DescribeInstances", "")))
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, news, 2)
		assert.Equal(t, ReasonCanceled, news[1].(DoneInfo).Reason)
	})
}

// C39: hooks may call Stats and start calls; a lock that is held around them would block the bubble.
func TestTransport_C39_HooksMayDoAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &failing{step: reply(200, apiError("InternalError"))}
		var rt *Transport
		var mu sync.Mutex
		told := map[string]int{}
		rt = newTransport(
			t, base, WithRateLimit(1000, 10), WithBreaker(BreakerSettings{MinCalls: 2, HoldFor: 6 * time.Second}), WithMaxAttempts(2),
			WithLimiter(func(target Target) Limiter {
				if target.Action == "FromAHook" {
					return nil
				}
				return limiterFunc(func(context.Context) error { rt.Stats(); return nil })
			}),
			WithHooks(newsOf(func(ctx context.Context, info any) {
				if ctx.Value(contextKey{}) != nil {
					return // a call of a hook's own
				}
				mu.Lock()
				told[fmt.Sprintf("%T", info)]++
				mu.Unlock()
				assert.NotEmpty(t, rt.Stats())
				req := newRequest(t, "FromAHook", "")
				req.URL.Host = "hook.tencentcloudapi.com"
				own, stop := context.WithTimeout(context.WithValue(req.Context(), contextKey{}, 1), 10*time.Millisecond)
				defer stop()
				resp, err := rt.RoundTrip(req.WithContext(own))
				if err == nil {
					resp.Body.Close()
				}
			})),
		)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				req := newRequest(t, "DescribeInstances", "")
				ctx, stop := context.WithTimeout(req.Context(), time.Duration(1+i)*time.Second)
				defer stop()
				if resp, err := rt.RoundTrip(req.WithContext(ctx)); err == nil {
					resp.Body.Close()
				}
			})
		}
		time.Sleep(7 * time.Second)
		base.become(reply(200, success))
		wg.Wait()
		for _, hook := range []string{"AttemptInfo", "RetryInfo", "RefusalInfo", "BreakerChangeInfo", "DoneInfo"} {
			assert.Positive(t, told["tencenthttp."+hook], hook)
		}
		assert.Equal(t, 20, told["tencenthttp.DoneInfo"], "once for each call")
		assertAtRest(t, rt)
	})
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestHooks_NilOnesAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")))
		rt := newTransport(t, base, WithHooks(Hooks{}), WithBreaker(BreakerSettings{MinCalls: 2}))
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", ""))
		require.NoError(t, err)
		resp.Body.Close()
		_, err = rt.RoundTrip(newRequest(t, "DescribeInstances", ""))
		require.ErrorIs(t, err, ErrBreakerOpen)
		assert.Equal(t, 2, base.attempts())
	})
}
