package sdktest

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// hasty opens at the fourth fault: within one call.
// It stays open as long as it may, without the chance in that.
var hasty = tencenthttp.BreakerSettings{MinCalls: 4, OpenFor: 5 * time.Second, Rand: func() float64 { return 0.999999 }}

func TestSDK_BreakerOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{Refuse: 1}))
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty))
		client := newCVM(t, rt)
		require.Error(t, describeInstances(client))
		require.Equal(t, 4, api.Count())
		require.Equal(t, gobreaker.StateOpen, rt.Stats()[0].Breaker)

		start := time.Now()
		err := runInstances(client, "token-1")

		assert.Zero(t, time.Since(start))
		assert.Equal(t, 4, api.Count(), "no wire call")
		assert.ErrorIs(t, err, tencenthttp.ErrBreakerOpen)
		assert.ErrorIs(t, err, gobreaker.ErrOpenState)
		assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
		callError := requireCallError(t, err)
		assert.Equal(t, tencenthttp.ReasonBreakerOpen, callError.Reason)
		assert.Zero(t, callError.Attempts)
		assert.InDelta(t, 5*time.Second, callError.RetryAfter, float64(10*time.Millisecond))
		var netError net.Error
		require.ErrorAs(t, err, &netError)
		assert.False(t, netError.Timeout())
		assert.False(t, errors.Is(err, tencenthttp.ErrRateLimited))
	})
}

func TestSDK_BreakerRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{Unavailable: 1, Until: 6 * time.Second}))
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty))
		client := newCVM(t, rt)
		require.Error(t, describeInstances(client))
		wire := api.Count()

		time.Sleep(5500 * time.Millisecond) // the outage is not over: the probe fails
		assert.Equal(t, "ClientError.ParseJsonError", requireSDKError(t, describeInstances(client)).GetCode(), "the probe's own answer")
		assert.Equal(t, wire+1, api.Count())
		assert.ErrorIs(t, describeInstances(client), tencenthttp.ErrBreakerOpen)

		time.Sleep(5500 * time.Millisecond)
		require.NoError(t, describeInstances(client))
		require.NoError(t, runInstances(client, ""))
		assert.Equal(t, wire+3, api.Count())
		for _, stats := range rt.Stats() {
			assert.Equal(t, gobreaker.StateClosed, stats.Breaker)
		}
	})
}

func TestSDK_BreakerHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{Refuse: 1, Until: 3 * time.Second}))
		holding := hasty
		holding.HoldFor = 10 * time.Second
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(holding), tencenthttp.WithMaxAttempts(5)))

		start := time.Now()
		require.NoError(t, describeInstances(client), "the fifth attempt waited for the breaker and was the probe")
		assert.InDelta(t, 5*time.Second, time.Since(start), float64(100*time.Millisecond))
		assert.Equal(t, 5, api.Count())
	})
}

func TestSDK_BreakerThatOpensDuringACallGivesTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{InternalError: 1}))
		var ended endings
		client := newCVM(t, newTransport(t, api.RoundTripper(),
			tencenthttp.WithBreaker(hasty), tencenthttp.WithMaxAttempts(10), ended.option()))

		err := describeInstances(client)

		calls := api.Calls()
		require.Len(t, calls, 4)
		sdkError := requireSDKError(t, err)
		assert.Equal(t, "InternalError", sdkError.GetCode())
		assert.Equal(t, calls[3].RequestID, sdkError.GetRequestId())
		assert.NotErrorIs(t, err, tencenthttp.ErrBreakerOpen)
		assert.Equal(t, endings{tencenthttp.ReasonBreakerOpen}, ended)
	})
}

func TestSDK_BreakerIsPerRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{Region: region, InternalError: 1}))
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty))
		require.Error(t, describeInstances(newCVM(t, rt)))
		require.ErrorIs(t, describeInstances(newCVM(t, rt)), tencenthttp.ErrBreakerOpen, "another client of the same region")

		elsewhere, err := cvm.NewClient(credential(), "ap-singapore", newProfile())
		require.NoError(t, err)
		elsewhere.WithHttpTransport(rt)
		assert.NoError(t, describeInstances(elsewhere))
	})
}

func TestSDK_FatalAndThrottledAnswersDoNotOpenTheBreaker(t *testing.T) {
	for _, code := range []string{"AuthFailure.SignatureFailure", "InvalidParameter", "RequestLimitExceeded", "ResourceNotFound"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("DescribeInstances", tctest.Fail(code).Forever()))
				client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty)))
				for range 30 {
					require.Equal(t, code, requireSDKError(t, describeInstances(client)).GetCode())
				}
				assert.NoError(t, runInstances(client, ""))
			})
		})
	}
}

// The SDK can leave a region's endpoint that fails for another one (DisableRegionBreaker, off by default). It counts calls, not our
// attempts, and the other host is another endpoint for us.
func TestSDK_RegionBreakerGoesToTheBackup(t *testing.T) {
	for name, row := range map[string]struct {
		breaker  tencenthttp.BreakerSettings
		wantWire int // on the endpoint that is down
	}{
		"our breaker stays closed": {tencenthttp.BreakerSettings{MinCalls: 1000}, 5 * 4},
		"our breaker opens first":  {hasty, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithOutage(tctest.Outage{Host: cvmHost, Refuse: 1}))
				client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(row.breaker)),
					func(p *profile.ClientProfile) { p.DisableRegionBreaker = false })
				for range 5 {
					require.Error(t, describeInstances(client))
				}
				assert.Equal(t, row.wantWire, api.Count())

				require.NoError(t, describeInstances(client))
				calls := api.Calls()
				require.Len(t, calls, row.wantWire+1)
				assert.Equal(t, "cvm.ap-guangzhou.tencentcloudapi.com", calls[row.wantWire].Host)
			})
		})
	}
}
