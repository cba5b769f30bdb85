package sdktest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// The SDK has retries of its own, off by default: for one code and for temporary network errors, with time.Sleep. They should stay off.

// sdkSleeps counts how often the SDK asked how long to sleep, and makes that a second.
type sdkSleeps int

func (n *sdkSleeps) next(int) time.Duration { *n++; return time.Second }

func (n *sdkSleeps) onThrottle(retries int) profileEdit {
	return func(p *profile.ClientProfile) {
		p.RateLimitExceededMaxRetries, p.RateLimitExceededRetryDuration = retries, n.next
	}
}

func (n *sdkSleeps) onNetworkFailure(retries int) profileEdit {
	return func(p *profile.ClientProfile) {
		p.NetworkFailureMaxRetries, p.NetworkFailureRetryDuration = retries, n.next
	}
}

func TestSDK_OwnRetriesAreOffByDefault(t *testing.T) {
	p := profile.NewClientProfile()
	assert.Zero(t, p.RateLimitExceededMaxRetries)
	assert.Zero(t, p.NetworkFailureMaxRetries)
	assert.False(t, p.UnsafeRetryOnConnectionFailure)
	assert.True(t, p.DisableRegionBreaker)
}

func TestSDK_OwnRetriesOfThrottles(t *testing.T) {
	for name, row := range map[string]struct {
		code        string
		maxAttempts int
		wantCalls   int
		wantSleeps  sdkSleeps
	}{
		"attempts multiply":                       {"RequestLimitExceeded", 4, 4 * 3, 2},
		"alone, without ours":                     {"RequestLimitExceeded", 1, 3, 2},
		"alone, it does not know the sub-codes":   {"RequestLimitExceeded.UinLimitExceeded", 1, 1, 0},
		"with ours, a sub-code does not multiply": {"RequestLimitExceeded.UinLimitExceeded", 4, 4, 0},
		"alone, it does not know InternalError":   {"InternalError", 1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail(row.code).Forever()))
				var sleeps sdkSleeps
				rt := newTransport(t, api.RoundTripper(), tencenthttp.WithMaxAttempts(row.maxAttempts))

				err := describeInstances(newCVM(t, rt, sleeps.onThrottle(2)))

				assert.Equal(t, row.code, requireSDKError(t, err).GetCode())
				assert.Equal(t, row.wantCalls, api.Count())
				assert.Equal(t, row.wantSleeps, sleeps)
			})
		})
	}
}

func TestSDK_OwnRetriesOfNetworkFailures(t *testing.T) {
	refused := tctest.Broken(tctest.CutDial)
	lost := tctest.Broken(tctest.CutBeforeAnswer)
	for _, row := range []struct {
		name        string
		answer      tctest.Answer
		maxAttempts int
		token       string
		wantCalls   int
		wantSleeps  sdkSleeps
	}{
		{"a refused connection is not temporary to the SDK", refused, 1, "token-1", 1, 0},
		{"ours, over a refused connection", refused, 4, "token-1", 4, 0},
		{"a lost connection is not temporary to the SDK", lost, 1, "token-1", 1, 0},
		{"ours, over a lost connection", lost, 4, "token-1", 4, 0},
		{"the SDK puts a ClientToken in, which ours retries too", lost, 4, "", 4, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", row.answer.Forever()))
				var sleeps sdkSleeps
				rt := newTransport(t, api.RoundTripper(), tencenthttp.WithMaxAttempts(row.maxAttempts))

				err := runInstances(newCVM(t, rt, sleeps.onNetworkFailure(2)), row.token)

				assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
				assert.Equal(t, row.wantCalls, api.Count())
				assert.Equal(t, row.wantSleeps, sleeps)
			})
		})
	}
}

// What is temporary to the SDK is a timeout.
func TestSDK_OwnRetriesOfTimeoutsMultiply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Hang().Forever()))
		var sleeps sdkSleeps
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(time.Second))

		err := runInstances(newCVM(t, rt, sleeps.onNetworkFailure(2)), "token-1")

		assert.Equal(t, tencenthttp.ReasonAttemptsUsedUp, requireCallError(t, err).Reason)
		assert.Equal(t, 4*3, api.Count())
		assert.EqualValues(t, 2, sleeps)
	})
}

func TestSDK_OwnRetriesDoNotSleepOnARefusal(t *testing.T) {
	for name, row := range map[string]struct {
		opt  tencenthttp.Option
		want error
	}{
		"breaker open": {tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 1}), tencenthttp.ErrBreakerOpen},
		"rate limited": {tencenthttp.WithRateLimit(0.001, 1), tencenthttp.ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
				var sleeps sdkSleeps
				rt := newTransport(t, api.RoundTripper(), tencenthttp.WithMaxAttempts(1), row.opt)
				client := newCVM(t, rt, sleeps.onNetworkFailure(5), sleeps.onThrottle(5))
				require.Equal(t, "InternalError", requireSDKError(t, runInstances(client, "token-1")).GetCode())

				start := time.Now()
				err := runInstances(client, "token-1")

				assert.ErrorIs(t, err, row.want)
				assert.Zero(t, sleeps)
				assert.Zero(t, time.Since(start))
				assert.Equal(t, 1, api.Count())
				var temporary interface{ Temporary() bool }
				require.ErrorAs(t, err, &temporary)
				assert.False(t, temporary.Temporary())
			})
		})
	}
}
