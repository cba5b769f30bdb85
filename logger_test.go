package tencenthttp

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// logTo returns a logger that writes everything into b from that level on, but the time.
func logTo(b *strings.Builder, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestWithLogger_OneLineForEachRetryRefusalAndChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		busy := reply(200, apiError("ResourceInUse.Busy"))
		base := scripted(reply(200, apiError("RequestLimitExceeded")), busy, fail(errLost), reply(200, apiError("InternalError")), reply(200, success))
		rt := newTransport(
			t, base, withDelay(2*time.Second), WithMaxAttempts(5), WithoutPacing(), WithLogger(logTo(&log, slog.LevelInfo)), WithCode("ResourceInUse.Busy", Verdict{Class: ClassRetryable}),
			WithBreaker(BreakerSettings{MinCalls: 2, FailureRatio: 0.6, OpenFor: 3 * time.Second}),
		)
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		time.Sleep(4 * time.Second)
		resp, err = rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()

		target := "service=cvm action=DescribeInstances region=ap-guangzhou host=cvm.tencentcloudapi.com "
		change := `msg="tencenthttp: breaker change" host=cvm.tencentcloudapi.com region=ap-guangzhou `
		assert.Equal(t, []string{
			`level=INFO msg="tencenthttp: retry" ` + target + `code=RequestLimitExceeded request_id=id-of-RequestLimitExceeded status=200 attempt=1 delay=2s reason=throttled`,
			`level=INFO msg="tencenthttp: retry" ` + target + `code=ResourceInUse.Busy request_id=id-of-ResourceInUse.Busy status=200 attempt=2 delay=2s reason=retryable`,
			`level=INFO msg="tencenthttp: retry" ` + target + `code="" request_id="" status=0 attempt=3 error="connection lost" delay=2s reason=fault`,
			`level=WARN ` + change + `from=closed to=open delay=3s`,
			`level=WARN msg="tencenthttp: refusal" ` + target + `code=InternalError request_id=id-of-InternalError attempt=5 delay=3.000000001s reason="breaker open" because="the endpoint is known to be down (WithBreaker)"`,
			`level=WARN ` + change + `from=open to=half-open delay=0s`,
			`level=WARN ` + change + `from=half-open to=closed delay=0s`,
		}, strings.Split(strings.TrimSpace(log.String()), "\n"))
	})
}

func TestWithLogger_ACallThatWasNotRetriedIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		base := scripted(reply(200, apiError("RequestLimitExceeded")), fail(errLost), reply(200, apiError("InvalidParameter")))
		rt := newTransport(t, base, withDelay(2*time.Second), WithoutPacing(), WithLogger(logTo(&log, slog.LevelDebug)))
		_, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.Error(t, err)
		resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		target := " service=cvm action=RunInstances region=ap-guangzhou host=cvm.tencentcloudapi.com "
		assert.Equal(t, []string{
			`level=DEBUG msg="tencenthttp: attempt"` + target + `code=RequestLimitExceeded request_id=id-of-RequestLimitExceeded status=200 attempt=1 latency=0s`,
			`level=INFO msg="tencenthttp: retry"` + target + `code=RequestLimitExceeded request_id=id-of-RequestLimitExceeded status=200 attempt=1 delay=2s reason=throttled`,
			`level=DEBUG msg="tencenthttp: attempt"` + target + `code="" request_id="" status=0 attempt=2 error="connection lost" latency=0s backoff=2s`,
			`level=WARN msg="tencenthttp: not retried"` + target + `code=RequestLimitExceeded request_id=id-of-RequestLimitExceeded status=0 attempts=2 reason="not idempotent" ` +
				`because="it may have run, and running it twice might do harm (a ClientToken would allow it)" elapsed=2s backoff=2s`,
			`level=DEBUG msg="tencenthttp: attempt"` + target + `code=InvalidParameter request_id=id-of-InvalidParameter status=200 attempt=1 latency=0s`,
			`level=DEBUG msg="tencenthttp: not retried"` + target + `code=InvalidParameter request_id=id-of-InvalidParameter status=200 attempts=1 reason=fatal ` +
				`because="sending it again cannot help" elapsed=0s`,
		}, strings.Split(strings.TrimSpace(log.String()), "\n"))
	})
}

func TestWithLogger_OneWarningASecondForEachTargetAndKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		rt := newTransport(t, scripted(reply(200, success)), WithLogger(logTo(&log, slog.LevelInfo)), WithLimiter(func(Target) Limiter { return refusing{} }))
		refused := func(action string) {
			_, err := rt.RoundTrip(newRequest(t, action, ""))
			require.ErrorIs(t, err, ErrRateLimited)
		}
		for range 10 { // 900 ms
			refused("RunInstances")
			refused("StopInstances")
			time.Sleep(90 * time.Millisecond)
		}
		assert.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
		assert.NotContains(t, log.String(), "left_out")
		log.Reset()
		time.Sleep(100 * time.Millisecond)
		refused("RunInstances")
		assert.Equal(t, 1, strings.Count(log.String(), "left_out=9\n"), log.String())
	})
}

func TestWithLogger_RatesAndClocks(t *testing.T) {
	var log strings.Builder
	hooks := logHooks(logTo(&log, slog.LevelInfo))
	target := Target{Service: "cvm", Action: "RunInstances", Region: "ap-guangzhou", Host: "cvm.tencentcloudapi.com", Account: "0123456789abcdef"}
	hooks.RateChange(t.Context(), RateChangeInfo{Target: target, From: rate.Inf, To: 12.5, Cause: RateThrottled})
	hooks.ClockSkew(t.Context(), ClockSkewInfo{Target: target, Host: target.Host, Offset: 10 * time.Minute})
	attrs := " service=cvm action=RunInstances region=ap-guangzhou host=cvm.tencentcloudapi.com "
	assert.Equal(t, `level=INFO msg="tencenthttp: rate change"`+attrs+"from=unlimited to=12.5 cause=throttled\n"+
		`level=WARN msg="tencenthttp: clock skew"`+attrs+"clock=cvm.tencentcloudapi.com offset=10m0s\n", log.String())
}

func TestWithLogger_WhatIsNotWantedCostsNothing(t *testing.T) {
	hooks := logHooks(slog.New(slog.DiscardHandler))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		hooks.Attempt(t.Context(), AttemptInfo{})
		hooks.Retry(t.Context(), RetryInfo{})
		hooks.Done(t.Context(), DoneInfo{Reason: ReasonSuccess})
	}))
}

func TestWarnings_AreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w warnings
		kind := func(i int) warning { return warning{Target{Action: strconv.Itoa(i)}, "rate limited"} }
		for i := range maxWarnings {
			_, ok := w.may(kind(i))
			require.True(t, ok)
		}
		for i := range 5 {
			_, ok := w.may(kind(maxWarnings + i))
			assert.False(t, ok, "no room")
		}
		_, ok := w.may(kind(0))
		assert.False(t, ok)
		time.Sleep(warnEvery)
		left, ok := w.may(kind(maxWarnings))
		assert.True(t, ok)
		assert.Equal(t, uint64(6), left, "five for which there was no room, and one of a kind that has gone")
		assert.Len(t, w.last, 1)
	})
}

func TestWithLogger_ASuccessIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		resp, err := newTransport(t, scripted(reply(200, success)), WithLogger(logTo(&log, slog.LevelInfo))).RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Empty(t, log.String())
	})
}

func TestWithLogger_C41_NoSecretInAnyLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var infos []any
		shown := func(req *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: &url.Error{Op: "Get", URL: req.URL.String(), Err: errLost}}
		}
		for _, steps := range [][]step{
			{reply(200, apiError("InternalError"))}, {reply(429, "{}"), reply(200, success)}, {fail(errLost)}, {shown}, {hang},
		} {
			rt := newTransport(
				t, scripted(steps...), WithLogger(logTo(&log, slog.LevelDebug)), WithBreaker(BreakerSettings{MinCalls: 3}), WithAttemptTimeout(time.Second),
				WithRateLimit(2, 1), WithMaxWait(10*time.Second),
			)
			for range 20 {
				for _, req := range []*http.Request{secretRequest(t), secretV1Request(t)} {
					resp, err := rt.RoundTrip(req)
					if err == nil {
						resp.Body.Close()
					}
					time.Sleep(time.Second)
				}
			}
			for _, s := range rt.Stats() {
				infos = append(infos, s)
				assert.Len(t, s.Target.Account, 16)
			}
		}
		assertNoSecret(t, log.String())
		for _, line := range []string{"attempt", "retry", "refusal", "breaker change"} {
			assert.Contains(t, log.String(), line)
		}
		assert.Contains(t, log.String(), "connection lost")
		for _, info := range infos {
			assertNoSecret(t, slog.AnyValue(info).String())
		}
	})
}

// secretV1Request is a call with signature v1, which has its secrets in the query.
func secretV1Request(t *testing.T) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://cvm.tencentcloudapi.com/?Action=DescribeInstances&Region=ap-guangzhou&SecretId=AKIDofTheQuery&Signature=signature-of-the-query&Token=token-of-a-role", http.NoBody)
	require.NoError(t, err)
	return req
}
