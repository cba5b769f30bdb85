package tencenthttp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestTransport_FailOver(t *testing.T) {
	const first, second, third = "cvm.tencentcloudapi.com", "cvm.ap-guangzhou.tencentcloudapi.com", "cvm.ap-beijing.tencentcloudapi.com"
	options := []Option{
		WithSigner(TC3Signer(testKeys)),
		WithBackOff(noDelay), WithoutRetryBudget(), WithMaxAttempts(10), WithoutPacing(),
		WithBreaker(BreakerSettings{MinCalls: 4, OpenFor: 5 * time.Second}),
		WithFailover(func(host string) []string { return []string{"", host, second, third} }), exactly,
	}
	setUp := func(t *testing.T, outages ...tctest.Outage) (*tctest.API, *Transport) {
		api := tctest.New(tctest.WithCredential(testID, testKey, ""))
		api.SetOutages(outages...)
		rt, err := NewTransport(api.RoundTripper(), options...)
		require.NoError(t, err)
		return api, rt
	}
	call := func(t *testing.T, rt *Transport) string {
		return codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", `{}`))
	}
	t.Run("away while the first is down, and back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api, rt := setUp(t, tctest.Outage{Host: first, Unavailable: 1, Until: time.Minute})
			for range 200 { // the first call opens the breaker, and goes on to the other host
				assert.Empty(t, call(t, rt))
				time.Sleep(100 * time.Millisecond)
			}
			assert.Equal(t, 200, api.Tally().Succeeded, "every call was answered by the other host")
			assert.LessOrEqual(t, countHost(api, first), 4+4, "four to open the breaker, one probe each 5 s")

			time.Sleep(time.Minute - api.Elapsed())
			for range 51 {
				assert.Empty(t, call(t, rt))
				time.Sleep(100 * time.Millisecond)
			}
			api.ResetCalls()
			assert.Empty(t, call(t, rt))
			assert.Equal(t, 1, countHost(api, first), "back within one OpenFor of the recovery")
		})
	})
	t.Run("two down, the third serves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api, rt := setUp(t, tctest.Outage{Host: first, Unavailable: 1}, tctest.Outage{Host: second, Unavailable: 1})
			call(t, rt)
			call(t, rt)
			for range 100 {
				assert.Empty(t, call(t, rt))
				time.Sleep(100 * time.Millisecond)
			}
			assert.GreaterOrEqual(t, countHost(api, third), 100)
		})
	})
	t.Run("all down", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api, rt := setUp(t, tctest.Outage{Refuse: 1})
			var err error
			for range 6 {
				_, err = rt.RoundTrip(signedRequest(t, testKeys, 0, "DescribeInstances", `{}`))
			}
			require.ErrorIs(t, err, ErrBreakerOpen)
			require.ErrorIs(t, err, gobreaker.ErrOpenState)
			failed, ok := errors.AsType[*CallError](err)
			require.True(t, ok)
			assert.Equal(t, 5*time.Second, failed.RetryAfter.Round(time.Millisecond))
			assert.Equal(t, 12, api.Count(), "four for each host")
		})
	})
	t.Run("nothing stays held", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, rt := setUp(t, tctest.Outage{Host: first, Unavailable: 1})
			for range 10 {
				call(t, rt)
			}
			for _, e := range rt.endpoints.all() {
				if e.key.host == second {
					assert.Zero(t, e.calls.Load())
				}
			}
		})
	})
}

func countHost(api *tctest.API, host string) int {
	return len(api.Calls(func(c *tctest.Call) bool { return c.Host == host }))
}
