package sdktest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// A report goes through the SDK, whichever way the context is given to it.
func TestSDK_ReportOfACall(t *testing.T) {
	for name, call := range map[string]func(context.Context, *testing.T, *tencenthttp.Transport) error{
		"SetContext":  sendCommon,
		"WithContext": describeWithContext,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError")))
				rt := newTransport(t, api.RoundTripper(), every(2*time.Second))
				ctx, report := tencenthttp.ContextWithReport(t.Context())

				require.NoError(t, call(ctx, t, rt))

				seen := report.Snapshot()
				require.Len(t, seen.Attempts, 3)
				assert.Equal(t, "RequestLimitExceeded", seen.Attempts[0].Code)
				assert.Equal(t, "InternalError", seen.Attempts[1].Code)
				assert.Equal(t, api.Calls()[1].RequestID, seen.Attempts[1].RequestID)
				assert.Equal(t, 2*time.Second, seen.Attempts[2].Waits.Backoff)
				assert.Equal(t, tencenthttp.ReasonSuccess, seen.Reason)
				assert.NotContains(t, report.String(), secretID)
			})
		})
	}
}

// The SDK's own retry is another call with the same context: the report tells of the last one, and that there were more.
func TestSDK_ReportOfTheSDKsOwnRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded").Times(2)))
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithMaxAttempts(1))
		ctx, report := tencenthttp.ContextWithReport(t.Context())

		client := newCVM(t, rt, func(p *profile.ClientProfile) { p.RateLimitExceededMaxRetries = 3 })
		_, err := client.DescribeInstancesWithContext(ctx, cvm.NewDescribeInstancesRequest())

		require.NoError(t, err)
		assert.Equal(t, 3, report.Snapshot().Calls)
		assert.Len(t, report.Snapshot().Attempts, 1)
	})
}
