package sdktest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// ReqTimeout is http.Client.Timeout: with a transport that net/http does not know, it comes in both forms.
func TestSDK_ReqTimeoutArrivesAsDeadlineAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newTransport(t, newAPI().RoundTripper())
		var deadline time.Time
		var canceled <-chan struct{}
		spy := roundTripper(func(r *http.Request) (*http.Response, error) {
			deadline, _ = r.Context().Deadline()
			canceled = r.Cancel
			return rt.RoundTrip(r)
		})

		start := time.Now()
		require.NoError(t, describeInstances(newCVM(t, spy)))

		assert.Equal(t, 60*time.Second, deadline.Sub(start), "the SDK's default")
		assert.NotNil(t, canceled)
	})
}

func TestSDK_RetriesStopBeforeReqTimeout(t *testing.T) {
	slowly := 100 * time.Millisecond // what each answer takes
	for _, row := range []struct {
		name        string
		seconds     int
		answer      tctest.Answer
		delay       time.Duration
		wantCalls   int
		wantElapsed time.Duration
		wantReason  tencenthttp.Reason
	}{
		{"busy, 1 s", 1, tctest.Fail("OperationDenied.MutexTaskRunning").After(slowly), 300 * time.Millisecond, 3, 900 * time.Millisecond, tencenthttp.ReasonDeadlineTooNear},
		{"busy, 2 s", 2, tctest.Fail("OperationDenied.MutexTaskRunning").After(slowly), 300 * time.Millisecond, 5, 1700 * time.Millisecond, tencenthttp.ReasonDeadlineTooNear},
		{"faults, 2 s", 2, tctest.Fail("InternalError").After(slowly), 300 * time.Millisecond, 5, 1700 * time.Millisecond, tencenthttp.ReasonDeadlineTooNear},
		{"slow faults, 2 s", 2, tctest.Fail("InternalError").After(900 * time.Millisecond), 300 * time.Millisecond, 1, 900 * time.Millisecond, tencenthttp.ReasonDeadlineTooNear},
		{"Retry-After of 20 s, 2 s", 2, tctest.Fail("RequestLimitExceeded").RetryAfter(20 * time.Second).After(slowly), 0, 1, slowly, tencenthttp.ReasonDeadlineTooNear},
		{"Retry-After of 20 s, the default 60 s", 60, tctest.Fail("RequestLimitExceeded").RetryAfter(20 * time.Second).After(slowly), 0, 3, 40300 * time.Millisecond, tencenthttp.ReasonElapsed},
		{"Retry-After of an hour, the default 60 s", 60, tctest.Fail("InternalError").RetryAfter(time.Hour).After(slowly), 0, 3, 40300 * time.Millisecond, tencenthttp.ReasonElapsed},
		{"no ReqTimeout at all", 0, tctest.Fail("InternalError").After(slowly), 14900 * time.Millisecond, 4, 45100 * time.Millisecond, tencenthttp.ReasonElapsed},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", row.answer.Forever()))
				var ended endings
				rt := newTransport(t, api.RoundTripper(), every(row.delay), tencenthttp.WithMaxAttempts(100),
					tencenthttp.WithoutBreaker(), ended.option())

				start := time.Now()
				err := describeInstances(newCVM(t, rt, reqTimeout(row.seconds)))

				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				sdkError := requireSDKError(t, err)
				assert.Equal(t, row.answer.Code, sdkError.GetCode(), "the last answer rather than a timeout")
				assert.Equal(t, calls[row.wantCalls-1].RequestID, sdkError.GetRequestId())
				assert.Equal(t, row.wantElapsed, time.Since(start))
				assert.Equal(t, endings{row.wantReason}, ended)
			})
		})
	}
}

func TestSDK_TurnThatCannotComeBeforeReqTimeoutIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithRateLimit(0.1, 1)), reqTimeout(2))
		require.NoError(t, describeInstances(client))

		start := time.Now()
		err := describeInstances(client)

		assert.Zero(t, time.Since(start))
		assert.ErrorIs(t, err, tencenthttp.ErrRateLimited)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, requireCallError(t, err).RetryAfter)
		assert.Equal(t, 1, api.Count())
	})
}

// A service that hangs uses ReqTimeout up. net/http then replaces the error with one of its own that leads to no
// other: errors.As finds no CallError, unless the context's deadline was noticed before the timer.
func TestSDK_ReqTimeoutOfAServiceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError"), tctest.Hang().Forever()))
		client := newCVM(t, newTransport(t, api.RoundTripper()), reqTimeout(2))

		start := time.Now()
		err := describeInstances(client)

		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.Equal(t, 2, api.Count())
		assert.Contains(t, err.Error(), "last answer InternalError (RequestId "+api.Calls()[0].RequestID+")", "its text is kept")
		assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		var netError net.Error
		require.ErrorAs(t, err, &netError)
		assert.True(t, netError.Timeout())
	})
}

func TestSDK_AttemptTimeoutLeavesTimeToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Hang().Times(2)))
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(500*time.Millisecond)), reqTimeout(2))

		start := time.Now()
		require.NoError(t, describeInstances(client))

		assert.Equal(t, 3, api.Count())
		assert.Equal(t, time.Second+2*time.Millisecond, time.Since(start))
	})
}

func TestSDK_AttemptTimeoutOverConnections(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			api, wire := base.dial(t, tctest.WithScript("*", tctest.Hang()))
			client := newCVM(t, newTransport(t, wire, tencenthttp.WithAttemptTimeout(500*time.Millisecond)))

			require.NoError(t, runInstances(client, "token-1"))
			requireSameBytes(t, api.Calls())
			assert.Equal(t, 2, api.Count())
		})
	}
}

func TestSDK_AttemptTimeoutOfAWriteIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Hang()))
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(500*time.Millisecond)))

		start := time.Now()
		err := runInstances(client, "")

		assert.Equal(t, 500*time.Millisecond, time.Since(start))
		assert.Equal(t, 1, api.Count())
		callError := requireCallError(t, err)
		assert.Equal(t, tencenthttp.ReasonNotIdempotent, callError.Reason)
		assert.True(t, callError.Timeout())
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "the deadline is the caller's")
	})
}

// bigAnswer is longer than what is looked at.
func bigAnswer(bytes int) tctest.Answer {
	return tctest.Success(map[string]any{
		"TotalCount":  1,
		"InstanceSet": []any{map[string]any{"InstanceId": "ins-1", "InstanceName": strings.Repeat("x", bytes)}},
	})
}

func TestSDK_ReqTimeoutCutsASlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", bigAnswer(200<<10).StallAt(100<<10, time.Minute)))
		client := newCVM(t, newTransport(t, api.RoundTripper()), reqTimeout(2))

		start := time.Now()
		err := describeInstances(client)

		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.Equal(t, 1, api.Count(), "the answer had begun: not retried")
		assert.Equal(t, "ClientError.ParseJsonError", requireSDKError(t, err).GetCode())
	})
}

func TestSDK_AttemptTimeoutDoesNotCutASlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", bigAnswer(200<<10).StallAt(100<<10, 30*time.Second)))
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(time.Second)))

		start := time.Now()
		response, err := client.DescribeInstances(cvm.NewDescribeInstancesRequest())

		require.NoError(t, err)
		assert.Len(t, *response.Response.InstanceSet[0].InstanceName, 200<<10)
		assert.Equal(t, 30*time.Second, time.Since(start))
		assert.Equal(t, 1, api.Count())
	})
}

func TestSDK_AttemptTimeoutCoversTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", bigAnswer(1<<10).StallAt(1<<9, time.Hour)))
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(time.Second)))

		require.NoError(t, describeInstances(client))
		assert.Equal(t, 2, api.Count())
	})
}

// A signature lives for 300 s. Calls that may take longer than that are not sent again with an old one.
func TestSDK_OldSignatureIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
		var ended endings
		rt := newTransport(t, api.RoundTripper(), every(100*time.Second), tencenthttp.WithMaxAttempts(100),
			tencenthttp.WithMaxElapsedTime(time.Hour), ended.option())

		start := time.Now()
		err := describeInstances(newCVM(t, rt, reqTimeout(3600)))

		assert.Equal(t, 200*time.Second, time.Since(start), "nor waited for")
		assert.Equal(t, "InternalError", requireSDKError(t, err).GetCode(), "rather than AuthFailure.SignatureExpire")
		assert.Equal(t, 3, api.Count(), "after 0, 100 and 200 s")
		assert.Equal(t, endings{tencenthttp.ReasonSignatureTooOld}, ended)
		assert.False(t, errors.Is(err, context.DeadlineExceeded))
	})
}
