package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reported makes a call with a report.
func reported(t *testing.T, rt http.RoundTripper, req *http.Request) (*Report, error) {
	t.Helper()
	ctx, report := ContextWithReport(req.Context())
	resp, err := rt.RoundTrip(req.WithContext(ctx))
	if err == nil {
		resp.Body.Close()
	}
	return report, err
}

func TestReport_String(t *testing.T) {
	in := func(d time.Duration, next step) step { return after(d, next) }
	ms := time.Millisecond
	for _, row := range []struct {
		name  string
		steps []step
		opts  []Option
		edit  func(*http.Request) *http.Request
		want  string
	}{
		{"success", []step{in(45*ms, reply(200, success))}, nil, nil, `
cvm RunInstances in ap-guangzhou: success after 45ms, 1 attempt
  attempt 1: success in 45ms, RequestId 3c140219-cfe9-470e-b241-907877d6fb03`},
		{"attempts used up", []step{
			in(2*ms, reply(200, apiError("RequestLimitExceeded"))), in(40*ms, fail(&unsentError{errLost})), in(30*ms, reply(200, apiError("InternalError"))),
		}, []Option{WithMaxAttempts(3), withDelay(1500 * ms), WithoutPacing()}, nil, `
cvm RunInstances in ap-guangzhou: attempts used up after 3.07s, 3 attempts, waited for backoff 3s
  attempt 1: RequestLimitExceeded in 2ms, throttled, RequestId id-of-RequestLimitExceeded
  attempt 2, after backoff 1.5s: connection lost in 40ms, fault
  attempt 3, after backoff 1.5s: InternalError in 30ms, fault, RequestId id-of-InternalError
  no attempt 4: attempts used up, that is all that WithMaxAttempts allows`},
		{"not idempotent", []step{in(70*ms, reply(502, "bad gateway"))}, nil, nil, `
cvm RunInstances in ap-guangzhou: not idempotent after 70ms, 1 attempt
  attempt 1: HTTP 502 in 70ms, fault
  no attempt 2: not idempotent, it may have run, and running it twice might do harm (a ClientToken would allow it)`},
		{"canceled in line", []step{reply(200, apiError("RequestLimitExceeded"))}, []Option{WithRateLimit(0.1, 1)}, cancelContextAfter(3 * time.Second), `
cvm RunInstances in ap-guangzhou: canceled after 3s, 1 attempt, waited for pacing 3s
  attempt 1: RequestLimitExceeded in 0s, throttled, RequestId id-of-RequestLimitExceeded
  no attempt 2: canceled, the caller has given up, or its time was over`},
		{"a limiter of one's own", []step{in(45*ms, reply(200, success))}, []Option{WithLimiter(func(Target) Limiter {
			return limiterFunc(func(context.Context) error { time.Sleep(time.Second); return nil })
		})}, nil, `
cvm RunInstances in ap-guangzhou: success after 1.05s, 1 attempt, waited for pacing 1s
  attempt 1, after pacing 1s: success in 45ms, RequestId 3c140219-cfe9-470e-b241-907877d6fb03`},
		{"held", []step{reply(200, apiError("InternalError")), reply(200, success)}, []Option{
			WithBreaker(BreakerSettings{MinCalls: 1, HoldFor: time.Minute}), withDelay(time.Second),
		}, nil, `
cvm RunInstances in ap-guangzhou: success after 5s, 2 attempts, waited for backoff 1s and breaker 4s
  attempt 1: InternalError in 0s, fault, RequestId id-of-InternalError
  attempt 2, after backoff 1s and breaker 4s: success in 0s, RequestId 3c140219-cfe9-470e-b241-907877d6fb03`},
		{"refused", []step{reply(200, apiError("InternalError"))}, []Option{WithBreaker(BreakerSettings{MinCalls: 1})}, nil, `
cvm RunInstances in ap-guangzhou: breaker open after 0s, 1 attempt
  attempt 1: InternalError in 0s, fault, RequestId id-of-InternalError
  no attempt 2: breaker open, the endpoint is known to be down (WithBreaker); ask again in 5s`},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, "RunInstances", `{}`)
				if row.edit != nil {
					req = row.edit(req)
				}
				report, _ := reported(t, newTransport(t, scripted(row.steps...), row.opts...), req)
				assert.Equal(t, strings.TrimPrefix(row.want, "\n"), report.String())
			})
		})
	}
}

func TestReport_IsReadWhileTheCallRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(after(time.Second, reply(200, apiError("InternalError"))), after(time.Second, reply(200, success)))
		rt := newTransport(t, base, withDelay(4*time.Second), WithRateLimit(0.1, 1))
		ctx, report := ContextWithReport(t.Context())
		assert.Equal(t, "no call yet", report.String())
		var wg sync.WaitGroup
		wg.Go(func() {
			resp, err := rt.RoundTrip(newRequest(t, "RunInstances", "").WithContext(ctx))
			if assert.NoError(t, err) {
				resp.Body.Close()
			}
		})
		var snapshot CallReport
		for _, want := range []string{
			"running for 500ms, now in an attempt for 500ms, 0 attempts",
			"running for 4.5s, now waiting (backoff) for 3.5s, 1 attempt\n  attempt 1: InternalError in 1s, fault, RequestId id-of-InternalError",
			"running for 8.5s, now waiting (pacing) for 3.5s, 1 attempt, waited for backoff 4s\n  attempt 1: InternalError in 1s, fault, RequestId id-of-InternalError",
		} {
			time.Sleep(500 * time.Millisecond)
			assert.Equal(t, "cvm RunInstances in ap-guangzhou: "+want, report.String())
			snapshot = report.Snapshot()
			time.Sleep(3500 * time.Millisecond)
		}
		wg.Wait()
		assert.Empty(t, snapshot.Reason)
		assert.Len(t, snapshot.Attempts, 1, "a snapshot stays as it is")
		snapshot = report.Snapshot()
		assert.Equal(t, ReasonSuccess, snapshot.Reason)
		assert.Equal(t, 4*time.Second, snapshot.Waits.Backoff)
		assert.InDelta(t, 5*time.Second, snapshot.Waits.Pacing, 1e6)
		assert.InDelta(t, 11*time.Second, snapshot.Elapsed, 1e6)
		assert.Equal(t, 200, snapshot.StatusCode)
	})
}

func TestReport_FollowsOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, report := ContextWithReport(t.Context())
		rt := newTransport(t, scripted(reply(200, success)), WithRateLimit(1, 1))
		call := func(action string) {
			resp, err := rt.RoundTrip(newRequest(t, action, "").WithContext(ctx))
			if assert.NoError(t, err) {
				resp.Body.Close()
			}
		}
		call("RunInstances")
		var wg sync.WaitGroup
		wg.Go(func() { call("RunInstances") }) // has to wait
		synctest.Wait()
		call("StopInstances")
		assert.Equal(t, "RunInstances", report.Snapshot().Target.Action)
		wg.Wait()
		snapshot := report.Snapshot()
		assert.Equal(t, "RunInstances", snapshot.Target.Action)
		assert.Equal(t, 2, snapshot.Calls)
		assert.Len(t, snapshot.Attempts, 1)
	})
}

func TestReport_OfATransportWithinAnotherIsTheOuterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newTransport(t, scripted(reply(200, apiError("InternalError")), reply(200, success)), WithMaxAttempts(1))
		report, err := reported(t, newTransport(t, inner), newRequest(t, "RunInstances", ""))
		require.NoError(t, err)
		assert.Len(t, report.Snapshot().Attempts, 2)
		assert.Equal(t, 1, report.Snapshot().Calls)
	})
}

func TestReport_OfACallThatPanics(t *testing.T) {
	ctx, report := ContextWithReport(t.Context())
	bad := func(*http.Request) (*http.Response, error) { panic("base") }
	rt := newTransport(t, scripted(bad, reply(200, success)))
	assert.Panics(t, func() { _, _ = rt.RoundTrip(newRequest(t, "RunInstances", "").WithContext(ctx)) })
	assert.Contains(t, report.String(), "panicked after")
	resp, err := rt.RoundTrip(newRequest(t, "RunInstances", "").WithContext(ctx))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, ReasonSuccess, report.Snapshot().Reason)
}

func TestReport_C32_MayBeReadAtAnyTime(t *testing.T) {
	rt := newTransport(t, scripted(reply(200, apiError("InternalError")), fail(errLost), reply(200, success)))
	ctx, report := ContextWithReport(t.Context())
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = report.String()
				}
			}
		})
	}
	for range 200 {
		if resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", "").WithContext(ctx)); err == nil {
			resp.Body.Close()
		}
	}
	close(done)
	wg.Wait()
	assert.Equal(t, 200, report.Snapshot().Calls)
}

func TestReport_EveryReasonIsExplained(t *testing.T) {
	for _, reason := range []Reason{
		ReasonFatal, ReasonNotIdempotent, ReasonAttemptsUsedUp, ReasonElapsed, ReasonDeadlineTooNear, ReasonBudgetEmpty, ReasonBodyNotReplayable,
		ReasonSignatureTooOld, ReasonBackOffStopped, ReasonCanceled, ReasonBreakerOpen, ReasonRateLimited, ReasonSigningFailed,
	} {
		assert.NotEmpty(t, reason.explanation(), reason)
	}
	assert.Empty(t, ReasonSuccess.explanation())
}

func TestReport_C41_HoldsNoSecret(t *testing.T) {
	shown := func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: errLost}
	}
	for _, steps := range [][]step{{reply(200, apiError("InternalError"))}, {fail(errLost)}, {shown}, {reply(200, success)}} {
		for _, req := range []*http.Request{secretRequest(t), secretV1Request(t)} {
			report, err := reported(t, newTransport(t, scripted(steps...)), req)
			text := report.String() + fmt.Sprint(slog.AnyValue(report).Resolve(), report.Snapshot().Target)
			if failed, ok := errors.AsType[*CallError](err); ok {
				text += slog.AnyValue(failed).Resolve().String()
			}
			assertNoSecret(t, text)
			assert.Contains(t, text, "DescribeInstances")
		}
	}
}

func TestReport_LogValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		rt := newTransport(t, scripted(reply(200, apiError("RequestLimitExceeded")), fail(errLost)), withDelay(time.Second), WithoutPacing())
		report, err := reported(t, rt, newRequest(t, "RunInstances", `{}`))
		logTo(&log, slog.LevelInfo).Info("call", "report", report)
		logTo(&log, slog.LevelInfo).Info("call", "failed", err)
		assert.Equal(t, `level=INFO msg=call report.target.service=cvm report.target.host=cvm.tencentcloudapi.com report.target.region=ap-guangzhou report.target.action=RunInstances report.reason="not idempotent" report.doing="" report.elapsed=1s report.backoff=1s report.pacing=0s report.breaker=0s report.attempts="[attempt 1: RequestLimitExceeded in 0s, throttled, RequestId id-of-RequestLimitExceeded attempt 2, after backoff 1s: connection lost in 0s, fault]"
level=INFO msg=call failed.target.service=cvm failed.target.host=cvm.tencentcloudapi.com failed.target.region=ap-guangzhou failed.target.action=RunInstances failed.attempts=2 failed.reason="not idempotent" failed.code=RequestLimitExceeded failed.request_id=id-of-RequestLimitExceeded failed.retry_after=0s failed.error="connection lost"
`, log.String())
	})
}

func TestHooks_StartAndSendGiveTheirContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type attemptKey struct{}
		var seen []string
		note := func(what string, ctx context.Context) {
			seen = append(seen, fmt.Sprint(what, " ", ctx.Value(contextKey{}), " ", ctx.Value(attemptKey{})))
		}
		base := scripted(reply(200, apiError("InternalError")), reply(200, success))
		watched := step(func(req *http.Request) (*http.Response, error) {
			note("base", req.Context())
			return base.RoundTrip(req)
		})
		var installed *Transport
		rt := newTransport(t, rawScripted(watched), withDelay(time.Second), WithHooks(Hooks{
			Install: func(rt *Transport) { installed = rt },
			Start: func(ctx context.Context, info StartInfo) context.Context {
				assert.Equal(t, StartInfo{Target: targetOf(newRequest(t, "RunInstances", "")), Method: "POST"}, info)
				return context.WithValue(ctx, contextKey{}, "call")
			},
			Send: func(ctx context.Context, info SendInfo) context.Context {
				assert.Equal(t, time.Duration(info.Attempt-1)*time.Second, info.Waits.Backoff)
				assert.Equal(t, "cvm.tencentcloudapi.com", info.Host)
				return context.WithValue(ctx, attemptKey{}, info.Attempt)
			},
			Attempt: func(ctx context.Context, _ AttemptInfo) { note("attempt", ctx) },
			Retry:   func(ctx context.Context, _ RetryInfo) { note("retry", ctx) },
			Done:    func(ctx context.Context, _ DoneInfo) { note("done", ctx) },
		}))
		assert.Same(t, rt, installed)
		resp, err := rt.RoundTrip(newRequest(t, "RunInstances", ""))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, []string{
			"base call 1", "attempt call 1", "retry call <nil>", "base call 2", "attempt call 2", "done call <nil>",
		}, seen)
	})
}
