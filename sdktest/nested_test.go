package sdktest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestNested_Attempts(t *testing.T) {
	for _, row := range []struct {
		name      string
		answer    tctest.Answer
		outer     []tencenthttp.Option
		token     string
		wantCalls int
		wantOuter uint64
	}{
		{"throttled twice: the inner one sees to it", tctest.Fail("RequestLimitExceeded").Times(2), nil, "", 3, 1},
		{"faults for ever: attempts multiply", tctest.Fail("InternalError").Forever(), nil, "", 4 * 4, 4},
		{"faults for ever, the outer one does not retry", tctest.Fail("InternalError").Forever(), []tencenthttp.Option{tencenthttp.WithMaxAttempts(1)}, "", 4, 1},
		{"fatal", tctest.Fail("AuthFailure").Forever(), nil, "", 1, 1},
		{"connection lost, write", tctest.Broken(tctest.CutBeforeAnswer).Forever(), nil, "", 1, 1},
		{"connection lost, write with ClientToken", tctest.Broken(tctest.CutBeforeAnswer).Times(5), nil, "token-1", 6, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", row.answer))
				inner := newTransport(t, api.RoundTripper())
				outer := newTransport(t, inner, row.outer...)

				err := runInstances(newCVM(t, outer), row.token)

				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				requireSameBytes(t, calls)
				assert.Equal(t, row.wantOuter, outer.Stats()[0].Attempts)
				assert.EqualValues(t, row.wantCalls, inner.Stats()[0].Attempts)
				assert.Equal(t, row.answer.Repeat > 0, err == nil, "%v", err)
			})
		})
	}
}

// C34: what the inner one refuses is not tried again by the outer one, nor held against the endpoint.
func TestNested_RefusalOfTheInnerOne(t *testing.T) {
	for name, row := range map[string]struct {
		inner      tencenthttp.Option
		want       error
		wantReason tencenthttp.Reason
	}{
		"breaker open": {tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 1}), tencenthttp.ErrBreakerOpen, tencenthttp.ReasonBreakerOpen},
		"rate limited": {tencenthttp.WithRateLimit(0.001, 1), tencenthttp.ErrRateLimited, tencenthttp.ReasonRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError")))
				inner := newTransport(t, api.RoundTripper(), tencenthttp.WithMaxAttempts(1), row.inner)
				outer := newTransport(t, inner, tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 2}), every(time.Hour))
				client := newCVM(t, outer)
				require.Error(t, describeInstances(client))
				require.Equal(t, 1, api.Count())

				for range 20 {
					start := time.Now()
					err := describeInstances(client)
					require.ErrorIs(t, err, row.want)
					require.Zero(t, time.Since(start))
					callError := requireCallError(t, err)
					require.Equal(t, 1, callError.Attempts, "the outer one's")
					require.Positive(t, callError.RetryAfter)
					var refusal *tencenthttp.CallError
					require.ErrorAs(t, callError.Err, &refusal)
					require.Equal(t, row.wantReason, refusal.Reason)
				}
				assert.Equal(t, 1, api.Count())
				assert.Equal(t, gobreaker.StateClosed, outer.Stats()[0].Breaker)
			})
		})
	}
}

func TestNested_AttemptTimeouts(t *testing.T) {
	for name, row := range map[string]struct {
		outer, inner time.Duration
		wantInner    uint64
		wantOuter    uint64
	}{
		"inner shorter": {10 * time.Second, time.Second, 2, 1},
		"outer shorter": {time.Second, 10 * time.Second, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Hang()))
				inner := newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(row.inner))
				outer := newTransport(t, inner, tencenthttp.WithAttemptTimeout(row.outer))

				start := time.Now()
				require.NoError(t, describeInstances(newCVM(t, outer)))

				assert.Equal(t, time.Second+time.Millisecond, time.Since(start))
				assert.Equal(t, row.wantInner, inner.Stats()[0].Attempts)
				assert.Equal(t, row.wantOuter, outer.Stats()[0].Attempts)
			})
		})
	}
}
