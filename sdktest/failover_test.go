package sdktest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_Failover(t *testing.T) {
	const second = "cvm.ap-guangzhou.tencentcloudapi.com"
	options := []tencenthttp.Option{
		tencenthttp.WithBreaker(hasty), tencenthttp.WithMaxAttempts(10), tencenthttp.WithoutRetryBudget(),
		tencenthttp.WithFailover(func(string) []string { return []string{second} }),
	}
	for name, outage := range map[string]tctest.Outage{
		"refuses":     {Host: cvmHost, Refuse: 1, Until: time.Minute},
		"unavailable": {Host: cvmHost, Unavailable: 1, Until: time.Minute},
		"fails":       {Host: cvmHost, InternalError: 1, Until: time.Minute},
	} {
		for _, signature := range signaturesV3 {
			t.Run(name+"/"+signature.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := newAPI(tctest.WithOutage(outage))
					client, _ := newSigningCVM(t, credential(), api.RoundTripper(), signature.edit, options...)
					hosts := func() map[string]int {
						n := map[string]int{}
						for _, call := range api.Calls() {
							n[call.Host]++
						}
						api.ResetCalls()
						return n
					}

					require.NoError(t, describeInstances(client), "the first call opens the breaker, and goes on elsewhere")
					assert.Equal(t, map[string]int{cvmHost: 4, second: 1}, hosts())
					for range 49 { // 49 s
						time.Sleep(time.Second)
						require.NoError(t, describeInstances(client))
						require.NoError(t, runInstances(client, "token-1"))
					}
					elsewhere := hosts()
					assert.Equal(t, 98, elsewhere[second], "each was signed for it, and verified")
					assert.LessOrEqual(t, elsewhere[cvmHost], 10, "a probe each 5 s")

					time.Sleep(time.Minute - api.Elapsed() + hasty.OpenFor)
					require.NoError(t, describeInstances(client))
					require.NoError(t, runInstances(client, "token-1"))
					assert.Equal(t, map[string]int{cvmHost: 2}, hosts(), "back within one OpenFor of the recovery")
				})
			})
		}
	}
	t.Run("signature v1 stays where it is", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := newAPI(tctest.WithOutage(tctest.Outage{Host: cvmHost, Refuse: 1}))
			client, _ := newSigningCVM(t, credential(), api.RoundTripper(), signed("HmacSHA256", http.MethodPost), options...)
			require.Error(t, describeInstances(client))
			require.ErrorIs(t, describeInstances(client), tencenthttp.ErrBreakerOpen)
			assert.Equal(t, 4, api.Count())
		})
	})
}
