package tencenthttp

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestTransport_Stats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(
			reply(200, apiError("RequestLimitExceeded")), reply(200, apiError("InternalError")), reply(200, success), // one call
			fail(errLost), // another one
		)
		rt := newTransport(t, base, WithActionRateLimit("RunInstances", 5, 7), WithMaxWait(time.Nanosecond), WithoutPacing(),
			WithBreaker(BreakerSettings{MinCalls: 3, OpenFor: 4 * time.Second, FailureRatio: 0.1}))
		assert.Empty(t, rt.Stats())
		resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		_, err = rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.ErrorIs(t, err, errLost)
		time.Sleep(time.Second)
		_, err = rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.ErrorIs(t, err, ErrBreakerOpen)

		stats := rt.Stats()
		require.Len(t, stats, 1)
		assert.Equal(t, TargetStats{
			Target: targetOf(newRequest(t, "RunInstances", "")),
			Calls:  3, Attempts: 4, Retries: 2, Throttled: 1, Faults: 2, Refused: 1,
			Limit: 5, Breaker: gobreaker.StateOpen, OpenFor: 3*time.Second + 1,
		}, stats[0])
	})
}

func TestTransport_StatsOfThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newTransport(t, scripted(reply(200, success)), WithRateLimit(1, 1))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
				if assert.NoError(t, err) {
					resp.Body.Close()
				}
			})
		}
		synctest.Wait()
		assert.Equal(t, 4, rt.Stats()[0].Waiting)
		wg.Wait()
		assert.Zero(t, rt.Stats()[0].Waiting)
	})
}

func TestTransport_StatsAreInTheOrderOfTheirNames(t *testing.T) {
	rt := newTransport(t, scripted(reply(200, success)), WithoutBreaker())
	for _, action := range []string{"StopInstances", "RunInstances", "DescribeZones"} {
		for _, region := range []string{"b", "a", ""} {
			for _, host := range []string{"y.example.com", "x.example.com"} {
				req := newRequest(t, action, "")
				req.URL.Host = host
				req.Header.Set("X-TC-Region", region)
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				resp.Body.Close()
			}
		}
	}
	stats := rt.Stats()
	require.Len(t, stats, 18)
	assert.True(t, slices.IsSortedFunc(stats, func(a, b TargetStats) int { return compareTargets(a.Target, b.Target) }))
	assert.Equal(t, "DescribeZones", stats[0].Target.Action)
	assert.Equal(t, "x.example.com", stats[0].Target.Host)
	assert.Equal(t, rate.Inf, stats[0].Limit)
	assert.Equal(t, gobreaker.StateClosed, stats[0].Breaker)
	assert.Nil(t, (&Transport{}).Stats())
}
