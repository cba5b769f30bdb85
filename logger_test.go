package tencenthttp

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logTo returns a logger that writes everything into b, but the time.
func logTo(b *strings.Builder) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
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
			t, base, withDelay(2*time.Second), WithMaxAttempts(5), WithoutPacing(), WithLogger(logTo(&log)), WithCode("ResourceInUse.Busy", Verdict{Class: ClassRetryable}),
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
			`level=INFO msg="tencenthttp: retry" ` + target + `code="" request_id="" status=0 attempt=3 delay=2s reason=fault error="connection lost"`,
			`level=WARN ` + change + `from=closed to=open delay=3s`,
			`level=WARN msg="tencenthttp: refusal" ` + target + `code=InternalError request_id=id-of-InternalError attempt=5 delay=3.000000001s reason="breaker open"`,
			`level=WARN ` + change + `from=open to=half-open delay=0s`,
			`level=INFO ` + change + `from=half-open to=closed delay=0s`,
		}, strings.Split(strings.TrimSpace(log.String()), "\n"))
	})
}

func TestWithLogger_ASuccessIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		resp, err := newTransport(t, scripted(reply(200, success)), WithLogger(logTo(&log))).RoundTrip(newRequest(t, "DescribeInstances", `{}`))
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
				t, scripted(steps...), WithLogger(logTo(&log)), WithBreaker(BreakerSettings{MinCalls: 3}), WithAttemptTimeout(time.Second),
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
		for _, line := range []string{"retry", "refusal", "breaker change"} {
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
