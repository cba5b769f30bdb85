package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestTransport_EndsWithTheLastResponse(t *testing.T) {
	throttled, broken := apiError("RequestLimitExceeded"), apiError("InternalError")
	rows := []struct {
		name   string
		body   string
		opts   []Option
		change func(*http.Request) *http.Request
		reason Reason
		calls  int
	}{
		{name: "C10 fatal", body: apiError("AuthFailure.SignatureFailure"), reason: ReasonFatal, calls: 1},
		{name: "C10 attempts used up", body: throttled, reason: ReasonAttemptsUsedUp, calls: 4},
		{name: "C10 not idempotent", body: apiError("FailedOperation"), reason: ReasonNotIdempotent, calls: 1},
		{
			name: "C10 pacer refuses", body: throttled, reason: ReasonRateLimited, calls: 1,
			opts: []Option{WithRateLimit(0.001, 1)},
		},
		{
			name: "C10 limiter refuses", body: throttled, reason: ReasonRateLimited, calls: 1,
			opts: []Option{WithLimiter(func(Target) Limiter { return rate.NewLimiter(0.001, 1) })},
		},
		{
			name: "C10 breaker refuses", body: broken, reason: ReasonBreakerOpen, calls: 1,
			opts: []Option{WithBreaker(BreakerSettings{MinCalls: 1})},
		},
		{
			name: "C10 deadline refuses", body: throttled, reason: ReasonDeadlineTooNear, calls: 1,
			opts: []Option{WithoutPacing(), WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Minute) })},
			change: func(req *http.Request) *http.Request {
				ctx, cancel := context.WithTimeout(req.Context(), time.Second)
				context.AfterFunc(ctx, cancel)
				return req.WithContext(ctx)
			},
		},
		{name: "C10 budget empty", body: broken, reason: ReasonBudgetEmpty, calls: 1, opts: []Option{WithRetryBudget(0, 0)}},
		{
			name: "C10 C43 signature too old", body: throttled, reason: ReasonSignatureTooOld, calls: 1,
			change: func(req *http.Request) *http.Request {
				req.Header.Set("X-TC-Timestamp", strconv.FormatInt(time.Now().Add(-271*time.Second).Unix(), 10))
				return req
			},
		},
		{
			name: "C10 body not replayable", body: throttled, reason: ReasonBodyNotReplayable, calls: 1,
			opts: []Option{WithMaxReplay(1)}, change: withoutGetBody,
		},
		{
			name: "C4 C10 GetBody fails", body: throttled, reason: ReasonBodyNotReplayable, calls: 1,
			change: func(req *http.Request) *http.Request {
				req.GetBody = func() (io.ReadCloser, error) { return nil, errLost }
				return req
			},
		},
		{
			name: "C10 backoff stopped", body: throttled, reason: ReasonBackOffStopped, calls: 1,
			opts: []Option{WithoutPacing(), WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, row.body))
				var done DoneInfo
				hooks := WithHooks(Hooks{Done: func(_ context.Context, info DoneInfo) { done = info }})
				req := newRequest(t, "RunInstances", `{}`)
				if row.change != nil {
					req = row.change(req)
				}
				resp, err := newTransport(t, base, append(row.opts, hooks)...).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, row.body, readAll(t, resp))
				assert.Equal(t, int64(len(row.body)), resp.ContentLength)
				assert.Equal(t, row.reason, done.Reason)
				assert.Equal(t, row.calls, base.attempts())
				assert.Equal(t, row.calls, done.Attempts)
			})
		})
	}
}

// netError is an error of the network that says both of itself.
type netError struct{ timeout, temporary bool }

func (e *netError) Error() string   { return "network trouble" }
func (e *netError) Timeout() bool   { return e.timeout }
func (e *netError) Temporary() bool { return e.temporary }

func TestTransport_EndsWithACallError(t *testing.T) {
	for _, cause := range []*netError{{}, {timeout: true}, {temporary: true}, {true, true}} {
		t.Run(fmt.Sprintf("C11 timeout %v temporary %v", cause.timeout, cause.temporary), func(t *testing.T) {
			base := scripted(fail(fmt.Errorf("read tcp: %w", cause)))
			client := &http.Client{Transport: newTransport(t, base)}
			_, err := client.Do(newRequest(t, "RunInstances", `{}`))
			var outer *url.Error
			require.ErrorAs(t, err, &outer)
			var call *CallError
			require.ErrorAs(t, err, &call)
			var inner *netError
			require.ErrorAs(t, err, &inner)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, 1, call.Attempts)
			assert.Equal(t, ReasonNotIdempotent, call.Reason)
			assert.Equal(t, "RunInstances", call.Target.Action)
			assert.Equal(t, cause.timeout, outer.Timeout())
			assert.Equal(t, cause.temporary, outer.Temporary())
		})
	}
	t.Run("C11 after several attempts, with the last code", func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")), fail(errLost))
		_, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.ErrorIs(t, err, errLost)
		var call *CallError
		require.ErrorAs(t, err, &call)
		assert.Equal(t, 2, call.Attempts)
		assert.Equal(t, "InternalError", call.Code)
		assert.Equal(t, "id-of-InternalError", call.RequestID)
	})
}

func TestTransport_CancelInBackOffSaysWhatTheLastAnswerWas(t *testing.T) {
	why := errors.New("the user left")
	rows := []struct {
		name   string
		cancel func(req *http.Request) *http.Request
		is     error
	}{
		{"C13 context", func(req *http.Request) *http.Request {
			ctx, cancel := context.WithCancelCause(req.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			return req.WithContext(ctx)
		}, why},
		{"C13 Request.Cancel", func(req *http.Request) *http.Request {
			canceled := make(chan struct{})
			time.AfterFunc(time.Second, func() { close(canceled) })
			req.Cancel = canceled
			return req
		}, context.Canceled},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refused := answer(200, apiError("RequestLimitExceeded.UinLimitExceeded"))
				body := refused.Body.(*trackedBody)
				slow := WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(10 * time.Second) })
				start := time.Now()
				resp, err := newTransport(t, scripted(give(refused)), slow, WithoutPacing()).RoundTrip(row.cancel(newRequest(t, "RunInstances", `{}`)))
				require.Nil(t, resp)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, row.is)
				var call *CallError
				require.ErrorAs(t, err, &call)
				assert.Equal(t, ReasonCanceled, call.Reason)
				assert.Equal(t, "RequestLimitExceeded.UinLimitExceeded", call.Code)
				assert.Equal(t, "id-of-RequestLimitExceeded.UinLimitExceeded", call.RequestID)
				assert.Contains(t, err.Error(), call.Code)
				assert.Contains(t, err.Error(), call.RequestID)
				assert.Equal(t, time.Second, time.Since(start))
				assert.EqualValues(t, 1, body.closes.Load())
			})
		})
	}
}
