package tencenthttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestTransport_C28_NoSleepThatEndsAfterTheDeadline(t *testing.T) {
	for _, tt := range []struct {
		name    string
		opts    []Option
		timeout time.Duration // the caller's
		latency time.Duration
		want    Reason
	}{
		{"the delay", []Option{withDelay(5 * time.Second)}, 4 * time.Second, 0, ReasonDeadlineTooNear},
		{"the delay and as long as the last attempt took", []Option{withDelay(5 * time.Second)}, 8 * time.Second, 2 * time.Second, ReasonDeadlineTooNear},
		{"WithMaxElapsedTime", []Option{withDelay(5 * time.Second), WithMaxElapsedTime(8 * time.Second)}, 0, 2 * time.Second, ReasonElapsed},
		{"the line", []Option{WithRateLimit(0.1, 1)}, 8 * time.Second, 0, ReasonRateLimited},
		{"the line, by default a minute", []Option{WithRateLimit(0.01, 1)}, 0, 0, ReasonRateLimited},
		{"the breaker", []Option{WithBreaker(BreakerSettings{MinCalls: 1, HoldFor: time.Hour, OpenFor: 10 * time.Second})}, 8 * time.Second, 0, ReasonBreakerOpen},
		{"the caller's limiter", []Option{WithLimiter(func(Target) Limiter { return rate.NewLimiter(0.1, 1) })}, 8 * time.Second, 0, ReasonRateLimited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var done DoneInfo
				base := scripted(after(tt.latency, reply(200, apiError("InternalError"))))
				rt := newTransport(t, base, append(tt.opts, withDone(&done))...)
				req := newRequest(t, "DescribeInstances", `{}`)
				if tt.timeout > 0 {
					ctx, stop := context.WithTimeout(t.Context(), tt.timeout)
					defer stop()
					req = req.WithContext(ctx)
				}
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err, "C10")
				assert.Equal(t, apiError("InternalError"), readAll(t, resp), "C10")
				assert.Equal(t, tt.want, done.Reason)
				assert.Equal(t, tt.latency, done.Elapsed, "at once")
				assert.Equal(t, 1, base.attempts())
			})
		})
	}
}

func TestTransport_MaxElapsedTime(t *testing.T) {
	for _, tt := range []struct {
		name     string
		limit    time.Duration
		attempts int
	}{
		{"no bound", 0, 8},
		{"just enough for three", 11 * time.Second, 3}, // 1 + 4 + 1 + 4 + 1
		{"not enough for three", 11*time.Second - 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(after(time.Second, reply(200, apiError("InternalError"))))
				rt := newTransport(t, base, withDelay(4*time.Second), WithMaxAttempts(8), WithMaxElapsedTime(tt.limit))
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, tt.attempts, base.attempts())
			})
		})
	}
}

// slowBody gives a byte each second.
type slowBody struct{ ctx context.Context }

func (b slowBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b slowBody) Close() error { return nil }

func TestTransport_C24_TheCallersTimeBindsTheWholeCall(t *testing.T) {
	for name, limit := range map[string]func(*testing.T, *http.Client, *http.Request) *http.Request{
		"http.Client.Timeout": func(_ *testing.T, client *http.Client, req *http.Request) *http.Request {
			client.Timeout = 10 * time.Second
			return req
		},
		"context": func(t *testing.T, _ *http.Client, req *http.Request) *http.Request {
			ctx, stop := context.WithTimeout(req.Context(), 10*time.Second)
			t.Cleanup(stop)
			return req.WithContext(ctx)
		},
	} {
		t.Run("an attempt, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(hang)
				client := &http.Client{Transport: newTransport(t, base)}
				begin := time.Now()
				resp, err := client.Do(limit(t, client, newRequest(t, "DescribeInstances", `{}`)))
				require.Nil(t, resp)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				timeout, ok := errors.AsType[interface {
					error
					Timeout() bool
				}](err)
				assert.True(t, ok && timeout.Timeout())
				if name == "context" { // http.Client makes a text of the error that its Timeout causes
					failure, ok := errors.AsType[*CallError](err)
					require.True(t, ok)
					assert.Equal(t, ReasonCanceled, failure.Reason)
				}
				assert.Equal(t, 10*time.Second, time.Since(begin))
				assert.Equal(t, 1, base.attempts())
			})
		})
		t.Run("waits, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, apiError("InternalError")))
				client := &http.Client{Transport: newTransport(t, base, withDelay(4*time.Second))}
				begin := time.Now()
				resp, err := client.Do(limit(t, client, newRequest(t, "DescribeInstances", `{}`)))
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, 8*time.Second, time.Since(begin), "a third attempt would have come after 12 s")
				assert.Equal(t, 3, base.attempts())
			})
		})
		t.Run("the body, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(func(req *http.Request) (*http.Response, error) {
					resp := answer(200, "")
					resp.Header.Set("Content-Type", "application/octet-stream")
					resp.ContentLength, resp.Body = -1, slowBody{req.Context()}
					return resp, nil
				})
				client := &http.Client{Transport: newTransport(t, base, WithAttemptTimeout(2*time.Second))}
				begin := time.Now()
				resp, err := client.Do(limit(t, client, newRequest(t, "DescribeInstances", `{}`)))
				require.NoError(t, err)
				defer resp.Body.Close()
				data, err := io.ReadAll(resp.Body)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.InDelta(t, 9, len(data), 1)
				assert.Equal(t, 10*time.Second, time.Since(begin))
			})
		})
	}
}

func TestTransport_C43_AnOldSignatureIsNotSentAgain(t *testing.T) {
	throttled := reply(200, apiError("OperationDenied.MutexTaskRunning"))
	slow := func(Target) Limiter { return rate.NewLimiter(rate.Every(271*time.Second), 1) }
	for _, tt := range []struct {
		name     string
		opts     []Option
		v1       bool
		attempts int
		want     Reason
		elapsed  time.Duration
	}{
		{"after 270 s", []Option{withDelay(270 * time.Second)}, false, 2, ReasonSuccess, 270 * time.Second},
		{"after 271 s: at once", []Option{withDelay(271 * time.Second)}, false, 1, ReasonSignatureTooOld, 0},
		{"after 271 s in line", []Option{WithRateLimit(rate.Every(271*time.Second), 1)}, false, 1, ReasonSignatureTooOld, 271 * time.Second},
		{"after 270 s in line", []Option{WithRateLimit(rate.Every(270*time.Second), 1)}, false, 2, ReasonSuccess, 270 * time.Second},
		{"after 271 s in a limiter", []Option{WithLimiter(slow)}, false, 1, ReasonSignatureTooOld, 271 * time.Second},
		{"a signature v1 has no such time", []Option{withDelay(time.Hour)}, true, 2, ReasonSuccess, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var done DoneInfo
				base := scripted(throttled, reply(200, success))
				rt := newTransport(t, base, append(tt.opts, WithMaxElapsedTime(0), withDone(&done))...)
				req := newRequest(t, "DescribeInstances", `{}`)
				if tt.v1 {
					req.Header.Del("Authorization")
				}
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				body := readAll(t, resp)
				assert.Equal(t, tt.want, done.Reason)
				assert.Equal(t, tt.attempts, base.attempts())
				assert.InDelta(t, tt.elapsed, done.Elapsed, float64(10*time.Microsecond))
				assert.Equal(t, tt.want == ReasonSuccess, strings.Contains(body, "TotalCount"))
			})
		})
	}
	t.Run("the first attempt is made however old, and gets a real answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(reply(200, apiError("AuthFailure.SignatureExpire")))
			req := newRequest(t, "DescribeInstances", `{}`)
			time.Sleep(time.Hour)
			resp, err := newTransport(t, base).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, apiError("AuthFailure.SignatureExpire"), readAll(t, resp))
			assert.Equal(t, 1, base.attempts())
		})
	})
	t.Run("its token goes to the next", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := scripted(throttled, reply(200, success))
			rt := newTransport(t, base, WithRateLimit(rate.Every(271*time.Second), 1), WithMaxElapsedTime(0))
			resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.NoError(t, err)
			resp.Body.Close()
			before := time.Now()
			resp, err = rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.NoError(t, err)
			resp.Body.Close()
			assert.Zero(t, time.Since(before), "C38")
			assert.Equal(t, 2, base.attempts())
		})
	})
}
