package sdktest

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// One transport serves several clients of several products, all at once.
func TestSDK_BurstKeepsToTheQuota(t *testing.T) {
	const calls, quota = 200, 20
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithQuota("*", tctest.TokenBucket(quota, quota)))
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithRateLimit(quota, quota))
		first, second, third := newCVM(t, rt), newCVM(t, rt), newDCDB(t, rt)

		start := time.Now()
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() { assert.NoError(t, describeInstances([]*cvm.Client{first, second}[i%2])) })
			wg.Go(func() { assert.NoError(t, describeDCDBInstances(third)) })
		}
		wg.Wait()

		assert.Equal(t, 2*calls, api.Count(), "none was throttled")
		assert.InDelta(t, float64(calls-quota)/quota, time.Since(start).Seconds(), 0.1)
		require.Len(t, rt.Stats(), 2)
	})
}

func TestSDK_BurstOverTheQuotaWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithQuota("*", tctest.TokenBucket(20, 20)))
		rt := newTransport(t, api.RoundTripper(), every(500*time.Millisecond), tencenthttp.WithMaxAttempts(20))
		client := newCVM(t, rt)

		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { assert.NoError(t, describeInstances(client)) })
		}
		wg.Wait()

		tally := api.Tally()
		assert.Equal(t, 50, tally.Succeeded)
		assert.Positive(t, tally.Codes["RequestLimitExceeded"])
		assert.EqualValues(t, tally.Arrived, rt.Stats()[0].Attempts)
	})
}

func TestSDK_ManyCallsThroughFaults(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			api, wire := base.dial(t, tctest.WithOutage(tctest.Outage{InternalError: 0.1, Unavailable: 0.1, Refuse: 0.1}))
			rt := newTransport(t, wire, tencenthttp.WithMaxAttempts(30), tencenthttp.WithoutBreaker(), tencenthttp.WithoutRetryBudget())
			client := newCVM(t, rt)

			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					for range 10 {
						assert.NoError(t, runInstances(client, "token"))
					}
				})
			}
			wg.Wait()

			tally := api.Tally()
			assert.Equal(t, 200, tally.Succeeded)
			assert.EqualValues(t, tally.Arrived, rt.Stats()[0].Attempts)
			assert.EqualValues(t, tally.Arrived-200, rt.Stats()[0].Faults)
		})
	}
}
