package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someTarget = Target{Service: "cvm", Host: "cvm.tencentcloudapi.com", Region: "ap-guangzhou", Action: "RunInstances", Account: "0123456789abcdef"}

func TestCallError_Error(t *testing.T) {
	for _, tt := range []struct {
		err  CallError
		want string
	}{
		{CallError{Reason: ReasonBreakerOpen, RetryAfter: 3 * time.Second, Err: ErrBreakerOpen}, "not sent (breaker open for another 3s)"},
		{CallError{Reason: ReasonRateLimited, RetryAfter: 1234567 * time.Nanosecond, Err: ErrRateLimited}, "not sent (rate limited for another 1ms)"},
		{CallError{Reason: ReasonRateLimited, Err: fmt.Errorf("%w: %w", ErrRateLimited, errors.New("no tokens"))}, "not sent (rate limited): no tokens"},
		{CallError{Reason: ReasonNotIdempotent, Attempts: 1, Err: errLost}, "not sent again after 1 attempt (not idempotent): connection lost"},
		{CallError{Reason: ReasonAttemptsUsedUp, Attempts: 4, Err: errLost}, "not sent again after 4 attempts (attempts used up): connection lost"},
		{
			CallError{Reason: ReasonCanceled, Attempts: 2, Code: "InternalError", RequestID: "id", Err: context.Canceled},
			"not sent again after 2 attempts (canceled), last answer InternalError (RequestId id): context canceled",
		},
		{CallError{Reason: ReasonCanceled, Attempts: 2, Code: "4000", Err: context.Canceled}, "not sent again after 2 attempts (canceled), last answer 4000: context canceled"},
		{CallError{Reason: ReasonFatal, Attempts: 1, Err: &attemptTimeoutError{time.Second}}, "not sent again after 1 attempt (fatal): attempt timed out after 1s"},
		{CallError{Reason: ReasonFatal}, "not sent (fatal)"},
	} {
		tt.err.Target = someTarget
		assert.EqualError(t, &tt.err, "tencenthttp: cvm RunInstances in ap-guangzhou: "+tt.want)
	}
	assert.EqualError(t, &CallError{Target: Target{Host: "example.com"}, Reason: ReasonFatal}, "tencenthttp: example.com: not sent (fatal)")
}

func TestCallError_TimeoutAndTemporaryAreTheCauses(t *testing.T) {
	for _, tt := range []struct {
		name               string
		err                error
		timeout, temporary bool
	}{
		{"nil", nil, false, false},
		{"says nothing", errLost, false, false},
		{"both", &netError{timeout: true, temporary: true}, true, true},
		{"neither", &netError{}, false, false},
		{"wrapped", fmt.Errorf("a wrapper: %w", &netError{timeout: true}), true, false},
		{"marked as unsent", &unsentError{&netError{temporary: true}}, false, true},
		{"cut off", &cutOffError{&netError{timeout: true}}, true, false},
		{"attempt timeout", &attemptTimeoutError{time.Second}, true, true},
		{"deadline", context.DeadlineExceeded, true, true},
		{"canceled", context.Canceled, false, false},
		{"breaker open", ErrBreakerOpen, false, false},
		{"rate limited", ErrRateLimited, false, false},
		{"breaker open after a timeout", fmt.Errorf("%w; last attempt: %w", ErrBreakerOpen, &netError{timeout: true, temporary: true}), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := &CallError{Err: tt.err}
			assert.Equal(t, tt.timeout, err.Timeout())
			assert.Equal(t, tt.temporary, err.Temporary())
		})
	}
}

func TestErrors_Sentinels(t *testing.T) {
	assert.ErrorIs(t, ErrBreakerOpen, gobreaker.ErrOpenState)
	assert.NotErrorIs(t, ErrBreakerOpen, ErrRateLimited)
	assert.NotErrorIs(t, ErrRateLimited, gobreaker.ErrOpenState)
	assert.EqualError(t, ErrBreakerOpen, "tencenthttp: breaker open")
	assert.EqualError(t, ErrRateLimited, "tencenthttp: rate limited")
	for _, err := range []error{ErrBreakerOpen, ErrRateLimited} {
		temporary, ok := err.(interface{ Temporary() bool })
		assert.True(t, ok && !temporary.Temporary(), "the SDK would sleep on it")
	}
}

func TestTransport_C11_ANetworkErrorIsReachedThroughURLError(t *testing.T) {
	cause := &netError{timeout: true, temporary: true}
	for _, tt := range []struct {
		name   string
		cause  error
		action string
		want   CallError
	}{
		{"may have run", cause, "RunInstances", CallError{Attempts: 1, Reason: ReasonNotIdempotent}},
		{"retried", cause, "DescribeInstances", CallError{Attempts: 4, Reason: ReasonAttemptsUsedUp}},
		{"never sent", &unsentError{cause}, "RunInstances", CallError{Attempts: 4, Reason: ReasonAttemptsUsedUp}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Transport: newTransport(t, scripted(fail(tt.cause)))}
				resp, err := client.Do(newRequest(t, tt.action, `{}`))
				require.Nil(t, resp)
				outer, ok := errors.AsType[*url.Error](err)
				require.True(t, ok)
				assert.True(t, outer.Timeout())
				assert.True(t, outer.Temporary())
				require.ErrorIs(t, err, cause)
				failure, ok := errors.AsType[*CallError](err)
				require.True(t, ok)
				assert.Equal(t, tt.want.Attempts, failure.Attempts)
				assert.Equal(t, tt.want.Reason, failure.Reason)
				assert.Equal(t, tt.action, failure.Target.Action)
				assert.Equal(t, "cvm.tencentcloudapi.com", failure.Target.Host)
			})
		})
	}
	t.Run("refused after a network error: both are reached", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(fail(&unsentError{errLost}))
			client := &http.Client{Transport: newTransport(t, base, WithBreaker(BreakerSettings{MinCalls: 2}))}
			_, err := client.Do(newRequest(t, "RunInstances", `{}`))
			require.ErrorIs(t, err, errLost)
			require.ErrorIs(t, err, ErrBreakerOpen)
			assert.Equal(t, 2, isReason(t, err, ReasonBreakerOpen).Attempts)
		})
	})
	t.Run("the last envelope is remembered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(reply(200, apiError("RequestLimitExceeded")), fail(errLost))
			_, err := newTransport(t, base).RoundTrip(newRequest(t, "RunInstances", `{}`))
			failure := isReason(t, err, ReasonNotIdempotent)
			assert.Equal(t, "RequestLimitExceeded", failure.Code)
			assert.Equal(t, "id-of-RequestLimitExceeded", failure.RequestID)
		})
	})
}

// secrets are what must never come to light, each in the place where it stands in a request.
var secrets = []string{
	"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",                             // SecretId, in Authorization
	"c492e8e41437e97a620b728c301bb8d17e7dc0c17eeabce80c20cd70fc3a78ff", // the signature of TC3
	"token-of-a-role", "AKIDofTheQuery", "signature-of-the-query", "password-in-the-body", "user-info",
}

// secretRequest is a call with all of the secrets.
func secretRequest(t *testing.T) *http.Request {
	req := newRequest(t, "DescribeInstances", `{"Password":"password-in-the-body"}`)
	req.Header.Set("X-TC-Token", "token-of-a-role")
	req.URL.RawQuery = "SecretId=AKIDofTheQuery&Signature=signature-of-the-query"
	req.URL.User = url.UserPassword("user-info", "user-info")
	return req
}

func assertNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range secrets {
		assert.NotContains(t, text, secret, "C41")
	}
}

func TestTransport_C41_NoSecretInAnyError(t *testing.T) {
	shown := func(req *http.Request) error { // as another client below would report it
		return &url.Error{Op: "Post", URL: req.URL.String(), Err: errLost}
	}
	for _, tt := range []struct {
		name string
		step step
		opts []Option
	}{
		{"a network error", fail(errLost), nil},
		{"a *url.Error", func(req *http.Request) (*http.Response, error) { return nil, shown(req) }, nil},
		{"a *url.Error in another", func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy: %w", &url.Error{Op: "Get", URL: req.URL.String(), Err: shown(req)})
		}, nil},
		{"a *url.Error, then a refusal", func(req *http.Request) (*http.Response, error) { return nil, shown(req) }, []Option{WithBreaker(BreakerSettings{MinCalls: 1})}},
		{"attempt timeout", hang, []Option{WithAttemptTimeout(time.Second)}},
		{"an answer cut off", func(*http.Request) (*http.Response, error) {
			resp := answer(200, "")
			resp.ContentLength = 100
			resp.Body = io.NopCloser(&brokenReader{})
			return resp, nil
		}, nil},
		{"rate limited", nil, []Option{WithLimiter(func(Target) Limiter { return refusing{} })}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := newTransport(t, scripted(tt.step), tt.opts...).RoundTrip(secretRequest(t))
				require.Error(t, err)
				for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprint(errors.Join(err, err))} {
					assertNoSecret(t, text)
					assert.Contains(t, text, "tencenthttp: cvm DescribeInstances in ap-guangzhou: ")
				}
			})
		})
	}
}

// brokenReader ends as a connection does that is cut.
type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
