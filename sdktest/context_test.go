package sdktest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// sendCommon sends a request with the context that SetContext gave it.
func sendCommon(ctx context.Context, t *testing.T, rt *tencenthttp.Transport) error {
	t.Helper()
	request := newCommonRequest(t, "DescribeInstances", nil)
	request.SetContext(ctx)
	return newCommon(rt).Send(request, tchttp.NewCommonResponse())
}

func describeWithContext(ctx context.Context, t *testing.T, rt *tencenthttp.Transport) error {
	t.Helper()
	_, err := newCVM(t, rt).DescribeInstancesWithContext(ctx, cvm.NewDescribeInstancesRequest())
	return err
}

func TestSDK_CancelDuringBackOff(t *testing.T) {
	errShutdown := errors.New("shutting down")
	for name, call := range map[string]func(context.Context, *testing.T, *tencenthttp.Transport) error{
		"SetContext":  sendCommon,
		"WithContext": describeWithContext,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
				rt := newTransport(t, api.RoundTripper(), every(10*time.Second))
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(15*time.Second, func() { cancel(errShutdown) })

				start := time.Now()
				err := call(ctx, t, rt)

				assert.Equal(t, 15*time.Second, time.Since(start), "at once")
				calls := api.Calls()
				require.Len(t, calls, 2)
				assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
				assert.ErrorIs(t, err, context.Canceled)
				assert.ErrorIs(t, err, errShutdown)
				callError := requireCallError(t, err)
				assert.Equal(t, tencenthttp.ReasonCanceled, callError.Reason)
				assert.Equal(t, 2, callError.Attempts)
				assert.Equal(t, "InternalError", callError.Code)
				assert.Equal(t, calls[1].RequestID, callError.RequestID)
				assert.Contains(t, err.Error(), "InternalError", "the SDK's text says it too")
			})
		})
	}
}

func TestSDK_CancelDuringAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError"), tctest.Hang()))
		rt := newTransport(t, api.RoundTripper())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)

		start := time.Now()
		err := sendCommon(ctx, t, rt)

		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, 2, api.Count(), "not retried")
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, "InternalError", requireCallError(t, err).Code)
	})
}

func TestSDK_CancelWhileTheServiceWorks(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			api, wire := base.dial(t, tctest.WithHandler("*", func(r *tctest.Request) (any, error) {
				cancel()
				<-r.Context().Done() // over a socket it is seen only when the connection or the stream has gone
				return nil, nil
			}))

			err := describeWithContext(ctx, t, newTransport(t, wire))

			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, tencenthttp.ReasonCanceled, requireCallError(t, err).Reason)
			assert.Equal(t, 1, api.Count())
		})
	}
}

func TestSDK_ContextThatIsDoneAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		err := sendCommon(ctx, t, newTransport(t, api.RoundTripper()))

		assert.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, api.Count())
	})
}

func TestSDK_DeadlineOfTheContext(t *testing.T) {
	for name, row := range map[string]struct {
		deadline  time.Duration
		wantCalls int
	}{
		"earlier than ReqTimeout": {2 * time.Second, 4},
		"later than ReqTimeout":   {time.Hour, 11},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").After(100*time.Millisecond).Forever()))
				rt := newTransport(t, api.RoundTripper(), every(500*time.Millisecond), tencenthttp.WithMaxAttempts(11))
				ctx, cancel := context.WithTimeout(t.Context(), row.deadline)
				defer cancel()

				start := time.Now()
				err := describeWithContext(ctx, t, rt)

				assert.Equal(t, "InternalError", requireSDKError(t, err).GetCode(), "the last answer, no timeout")
				assert.Equal(t, row.wantCalls, api.Count())
				assert.Less(t, time.Since(start), row.deadline)
			})
		})
	}
}

// The methods of the generated clients that take no context put context.Background into the request.
func TestSDK_PlainMethodForgetsSetContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		request := cvm.NewDescribeInstancesRequest()
		request.SetContext(ctx)
		client := newCVM(t, newTransport(t, api.RoundTripper()))

		_, err := client.DescribeInstances(request)
		assert.NoError(t, err)
		_, err = client.DescribeInstancesWithContext(ctx, request)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestSDK_ContextWithIdempotent(t *testing.T) {
	for name, row := range map[string]struct {
		idempotent bool
		answer     tctest.Answer
		wantCalls  int
	}{
		"yes, connection lost": {true, tctest.Broken(tctest.CutBeforeAnswer), 2},
		"no, connection lost":  {false, tctest.Broken(tctest.CutBeforeAnswer), 1},
		"no, InternalError":    {false, tctest.Fail("InternalError"), 1},
		"no, throttled":        {false, tctest.Fail("RequestLimitExceeded"), 2},
		"no, refused":          {false, tctest.Broken(tctest.CutDial), 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("RunInstances", row.answer))
				client := newCVM(t, newTransport(t, api.RoundTripper()))
				ctx := tencenthttp.ContextWithIdempotent(t.Context(), row.idempotent)

				_, err := client.RunInstancesWithContext(ctx, newRunInstances(""))

				assert.Equal(t, row.wantCalls, api.Count())
				assert.Equal(t, row.wantCalls > 1, err == nil, "%v", err)
			})
		})
	}
}

func TestSDK_HooksGetTheCallersContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded")))
		var seen []any
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithHooks(tencenthttp.Hooks{
			Retry: func(ctx context.Context, info tencenthttp.RetryInfo) {
				seen = append(seen, ctx.Value(key{}), info.Code)
			},
			Done: func(ctx context.Context, info tencenthttp.DoneInfo) {
				seen = append(seen, ctx.Value(key{}), info.Attempts)
			},
		}))

		require.NoError(t, sendCommon(context.WithValue(t.Context(), key{}, "mine"), t, rt))

		assert.Equal(t, []any{"mine", "RequestLimitExceeded", "mine", 2}, seen)
	})
}
