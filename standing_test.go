package tencenthttp

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Calls that stand in their target's line when the breaker opens go on waiting for it, in order and no longer than they would have
// there; who comes later is refused at once.
func TestTransport_WhoStoodInLineWaitsForTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		name     string
		opts     []Option
		answered int64
	}{
		{"until its deadline", nil, 5},
		{"no longer than WithMaxWait", []Option{WithMaxWait(3 * time.Second)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &outage{latency: 400 * time.Millisecond}
				opts := append([]Option{
					WithRateLimit(2, 1), WithMaxAttempts(1), WithBreaker(BreakerSettings{MinCalls: 1, OpenFor: 5 * time.Second}),
				}, tt.opts...)
				rt := newTransport(t, base, opts...)
				call := func() error {
					resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
					if err == nil {
						readAll(t, resp)
					}
					return err
				}
				var answered, refused atomic.Int64
				var wg sync.WaitGroup
				for range 6 { // the first of them opens the breaker, 0.4 s later
					wg.Go(func() {
						if err := call(); err == nil {
							answered.Add(1)
						} else {
							assert.ErrorIs(t, err, ErrBreakerOpen)
							refused.Add(1)
						}
					})
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Second)
				require.ErrorIs(t, call(), ErrBreakerOpen, "it comes too late")
				base.is(true)
				wg.Wait()
				assert.Equal(t, tt.answered+1, answered.Load(), "and the one that opened it was answered, with its failure")
				assert.Equal(t, 5-tt.answered, refused.Load())
			})
		})
	}
}

// A probe that hangs does not keep the next one waiting, unless it takes long as a rule.
func TestTransport_AProbeThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mode atomic.Value
		mode.Store("well")
		base := step(func(req *http.Request) (*http.Response, error) {
			switch mode.Load() {
			case "hangs":
				<-req.Context().Done()
				return nil, req.Context().Err()
			case "fails":
				return reply(200, apiError("InternalError"))(req)
			}
			return after(50*time.Millisecond, reply(200, success))(req)
		})
		var changes []BreakerChangeInfo
		var mu sync.Mutex
		rt := newTransport(t, scripted(base), WithMaxAttempts(1), WithBreaker(BreakerSettings{MinCalls: 2, FailureRatio: 0.5}),
			WithHooks(Hooks{BreakerChange: func(_ context.Context, info BreakerChangeInfo) {
				mu.Lock()
				defer mu.Unlock()
				changes = append(changes, info)
			}}))
		call := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`).WithContext(ctx))
			if err == nil {
				readAll(t, resp)
			}
			return err
		}
		require.NoError(t, call())
		mode.Store("fails")
		call()
		require.ErrorIs(t, call(), ErrBreakerOpen)

		mode.Store("hangs")
		time.Sleep(5*time.Second + 1)
		var wg sync.WaitGroup
		wg.Go(func() { assert.Error(t, call()) })
		time.Sleep(499 * time.Millisecond)
		assert.ErrorIs(t, call(), ErrBreakerOpen, "the probe is under way")
		mode.Store("well")
		time.Sleep(5*time.Second + 2*time.Millisecond) // half a second after it began it was given up, and the breaker open for 5 s
		assert.NoError(t, call())
		wg.Wait()
	})
}

func TestBreaker_ProbesAreSpread(t *testing.T) {
	for _, tt := range []struct {
		rand    float64
		awaited bool
		want    time.Duration
	}{
		{0, false, 4 * time.Second},
		{0.5, false, 6 * time.Second},
		{0.999999999, false, 8 * time.Second},
		{0, true, 4 * time.Second},
		{0.999999999, true, 5 * time.Second},
	} {
		b := newBreaker(BreakerSettings{OpenFor: 8 * time.Second, Rand: func() float64 { return tt.rand }}.withDefaults(), nil)
		b.awaited.Store(tt.awaited)
		assert.InDelta(t, tt.want, b.openFor(), 100)
	}
}
