package tencenthttp

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// quotaOf returns a fake API with a quota and the latencies of a real one, and a Transport over it.
func quotaOf(t *testing.T, quota tctest.Quota, opts ...Option) (*tctest.API, *Transport) {
	t.Helper()
	api := tctest.New(
		tctest.WithQuota("*", quota), tctest.WithNetworkDelay(tctest.Between(5*time.Millisecond, 15*time.Millisecond)),
		tctest.WithLatency(tctest.Fixed(30*time.Millisecond)), tctest.WithThrottledLatency(tctest.Fixed(2*time.Millisecond)),
	)
	rt, err := NewTransport(api.RoundTripper(), opts...)
	require.NoError(t, err)
	return api, rt
}

// crowd makes calls with so many workers at a time, and returns how many failed.
func crowd(t *testing.T, rt *Transport, calls, workers int) int64 {
	t.Helper()
	var failed, next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for next.Add(1) <= int64(calls) {
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				if err != nil || codeOfAnswer(t, resp) != "" {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return failed.Load()
}

func codeOfAnswer(t *testing.T, resp *http.Response) string {
	t.Helper()
	envelope, err := ReadEnvelope(resp)
	readAll(t, resp)
	if err != nil || envelope.Error == nil {
		return ""
	}
	return envelope.Error.Code
}

// The cap on attempts is hardly ever reached because of throttles alone, whatever the quota, and however many come at once.
func TestTransport_LearnsTheQuota(t *testing.T) {
	for _, tt := range []struct {
		perSecond, burst, workers int
	}{{5, 5, 20}, {20, 20, 200}, {200, 200, 500}} {
		t.Run(fmt.Sprint(tt.perSecond, "/s"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 40 * tt.perSecond
				api, rt := quotaOf(t, tctest.TokenBucket(float64(tt.perSecond), tt.burst))
				begin := time.Now()
				assert.Zero(t, crowd(t, rt, calls, tt.workers))
				atLeast := time.Duration(float64(calls-tt.burst) / float64(tt.perSecond) * float64(time.Second))
				assert.Less(t, time.Since(begin), atLeast*108/100)
				first := tt.workers - tt.burst // could not know
				wasted := api.Count() - calls - first
				assert.Less(t, wasted, calls/25)
				assert.InEpsilon(t, tt.perSecond, float64(rt.Stats()[0].Limit), 0.3)
				assertAtRest(t, rt)
			})
		})
	}
}

func TestTransport_LearnsAFixedWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, rt := quotaOf(t, tctest.FixedWindow(20, time.Second))
		begin := time.Now()
		assert.Zero(t, crowd(t, rt, 1000, 100))
		assert.Less(t, time.Since(begin), 58*time.Second)
		assert.Less(t, api.Count(), 1000+100+40)
	})
}

// What is learned is shared out in the order in which the calls began, retries in their call's place.
func TestTransport_ThrottledCallsKeepTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, rt := quotaOf(t, tctest.TokenBucket(10, 10))
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				readAll(t, resp)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		for at, i := range order[20:] {
			assert.InDelta(t, at+20, i, 8, "answered at its turn, but for one that was throttled once more")
		}
	})
}

func TestTransport_ForgetsARateThatNobodyNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var changes []RateChangeInfo
		_, rt := quotaOf(t, tctest.TokenBucket(20, 20), WithHooks(Hooks{RateChange: func(_ context.Context, info RateChangeInfo) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, info)
		}}))
		crowd(t, rt, 200, 50)
		require.Less(t, rt.Stats()[0].Limit, rate.Inf)
		time.Sleep(forgetAfter + time.Minute)
		crowd(t, rt, 1, 1)
		assert.Equal(t, rate.Inf, rt.Stats()[0].Limit)

		first, last := changes[0], changes[len(changes)-1]
		assert.Equal(t, targetOf(newRequest(t, "DescribeInstances", `{}`)), first.Target)
		assert.Equal(t, RateThrottled, first.Cause)
		assert.Equal(t, rate.Inf, first.From)
		assert.InDelta(t, 5, float64(first.To), 1, "a quarter of what was accepted")
		assert.Equal(t, RateForgotten, last.Cause)
		assert.Equal(t, rate.Inf, last.To)
		for _, c := range changes[1 : len(changes)-1] {
			assert.Equal(t, RateThrottled, c.Cause)
			assert.Less(t, c.To, c.From, "growth is not told")
		}
	})
}

func TestTransport_WithoutPacingLearnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, rt := quotaOf(t, tctest.TokenBucket(20, 20), WithoutPacing())
		assert.Positive(t, crowd(t, rt, 200, 100))
		assert.Equal(t, rate.Inf, rt.Stats()[0].Limit)
		assert.Zero(t, rt.targets.all()[0].pacer.flying.Load())
	})
}

// A service that does 5 a second instead of 100 is kept busy, and not drowned: hardly a request takes longer than a second.
func TestTransport_KeepsASlowServiceBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, rt := quotaOf(t, tctest.Quota{}, WithAttemptTimeout(5*time.Second))
		api.SetCapacity(tctest.Capacity{Rate: 100, MaxQueue: 8 * time.Second})
		stop := time.Now().Add(60 * time.Second)
		api.At(10*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 5, MaxQueue: 8 * time.Second}) })
		api.At(40*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 100, MaxQueue: 8 * time.Second}) })
		var during atomic.Int64
		begin := time.Now()
		var wg sync.WaitGroup
		for time.Now().Before(stop) {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`).WithContext(ctx))
				if err != nil {
					assert.ErrorIs(t, err, ErrRateLimited)
					return
				}
				readAll(t, resp)
				if since := time.Since(begin); since > 10*time.Second && since < 40*time.Second {
					during.Add(1)
				}
			})
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		assert.Greater(t, during.Load(), int64(140), "of 150 that it could do")
		tally := api.Tally()
		assert.Equal(t, tally.Arrived, tally.Succeeded, "nothing was wasted")
		assert.Equal(t, rate.Inf, rt.Stats()[0].Limit, "it is well again")
	})
}

func TestLimitOf(t *testing.T) {
	assert.Equal(t, rate.Limit(2.5), limitOf(2.5))
	assert.Equal(t, rate.Inf, limitOf(math.Inf(1)))
}

func TestPacer_ChangesAreBounded(t *testing.T) {
	p := newPacer(rateLimit{rate.Inf, 0}, true, true, time.Now())
	for n := range 100 {
		p.tell(RateFault, float64(n))
	}
	changes := p.takeChanges()
	assert.Len(t, changes, maxRateChanges)
	assert.InDelta(t, 99, float64(changes[maxRateChanges-1].From), 0)
	assert.Nil(t, p.takeChanges())
}
