package sdktest

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_ClockOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": 10 * time.Minute, "behind": -10 * time.Minute} {
		for _, signature := range signaturesV3 {
			t.Run(name+"/"+signature.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := newAPI(tctest.WithClockOffset(off))
					var seen []tencenthttp.ClockSkewInfo
					client, _ := newSigningCVM(t, credential(), api.RoundTripper(), signature.edit,
						tencenthttp.WithHooks(tencenthttp.Hooks{ClockSkew: func(_ context.Context, info tencenthttp.ClockSkewInfo) { seen = append(seen, info) }}))

					require.NoError(t, runInstances(client, ""), "a refused write was not run")
					assert.Equal(t, 2, api.Count())
					assert.Equal(t, map[string]int{"AuthFailure.SignatureExpire": 1}, api.Tally().Codes)
					for want := 3; want < 8; want++ {
						require.NoError(t, runInstances(client, ""))
						assert.Equal(t, want, api.Count(), "one wire call each")
						time.Sleep(7 * time.Minute)
					}
					require.Len(t, seen, 1)
					assert.Equal(t, cvmHost, seen[0].Host)
					assert.InDelta(t, off.Seconds(), seen[0].Offset.Seconds(), 1)

					api.SetClockOffset(0) // as if ours were set right
					require.NoError(t, describeInstances(client))
					assert.Equal(t, 9, api.Count())
					require.NoError(t, describeInstances(client))
					assert.Equal(t, 10, api.Count())
				})
			})
		}
	}
	t.Run("signature v1 is not renewed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := newAPI(tctest.WithClockOffset(10 * time.Minute))
			client, _ := newSigningCVM(t, credential(), api.RoundTripper(), signed("HmacSHA256", http.MethodPost))
			assert.Equal(t, "AuthFailure.SignatureExpire", requireSDKError(t, describeInstances(client)).GetCode())
			assert.Equal(t, 1, api.Count())
		})
	})
}
