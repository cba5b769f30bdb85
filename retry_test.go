package tencenthttp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withDone keeps how the last call ended.
func withDone(last *DoneInfo) Option {
	return WithHooks(Hooks{Done: func(_ context.Context, info DoneInfo) { *last = info }})
}

// withDelay makes every delay d.
func withDelay(d time.Duration) Option {
	return WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(d) })
}

// after is a step that takes d, or as long as its request's context lives.
func after(d time.Duration, next step) step {
	return func(req *http.Request) (*http.Response, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return next(req)
		case <-req.Cancel:
			return nil, errors.New("net/http: request canceled")
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
}

// hang is a step that ends with its request's context only.
var hang = after(1000*time.Hour, nil)

// In each row, everything that follows in the order is wrong as well.
func TestTransport_LooksAtTheReasonsInTheirOrder(t *testing.T) {
	order := []Reason{
		ReasonSuccess, ReasonFatal, ReasonNotIdempotent, ReasonAttemptsUsedUp, ReasonElapsed, ReasonDeadlineTooNear,
		ReasonBudgetEmpty, ReasonBodyNotReplayable, ReasonSignatureTooOld, ReasonBackOffStopped,
	}
	for row, want := range order {
		t.Run(string(want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wrong := func(reason Reason) bool {
					return slices.Contains(order[row:], reason)
				}
				verdict := Verdict{Class: ClassIdempotent, Fault: true}
				action := "DescribeInstances"
				switch {
				case wrong(ReasonSuccess):
					verdict.Class = ClassSuccess
				case wrong(ReasonFatal):
					verdict.Class = ClassFatal
				case wrong(ReasonNotIdempotent):
					action = "RunInstances"
				}
				var done DoneInfo
				opts := []Option{WithClassifier(func(Outcome) Verdict { return verdict }), withDone(&done)}
				if wrong(ReasonAttemptsUsedUp) {
					opts = append(opts, WithMaxAttempts(1))
				}
				if wrong(ReasonElapsed) {
					opts = append(opts, WithMaxElapsedTime(3*time.Second))
				}
				if wrong(ReasonBudgetEmpty) {
					opts = append(opts, WithRetryBudget(0, 0))
				}
				opts = append(opts, WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} }))
				if wrong(ReasonBodyNotReplayable) {
					opts = append(opts, WithMaxReplay(1))
				}
				req := newRequest(t, action, `{"Limit":1}`)
				req.GetBody = nil
				if wrong(ReasonDeadlineTooNear) {
					ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
					defer stop()
					req = req.WithContext(ctx)
				}
				if wrong(ReasonSignatureTooOld) {
					req.Header.Set("X-TC-Timestamp", strconv.FormatInt(time.Now().Add(-280*time.Second).Unix(), 10))
				}
				base := scripted(after(2*time.Second, reply(200, apiError("InternalError"))))
				resp, err := newTransport(t, base, opts...).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, apiError("InternalError"), readAll(t, resp))
				assert.Equal(t, want, done.Reason)
				assert.Equal(t, 1, base.attempts())
				assert.Equal(t, 2*time.Second, done.Elapsed)
			})
		})
	}
}

func TestTransport_Delays(t *testing.T) {
	throttled := reply(200, apiError("RequestLimitExceeded"))
	askedToWait := func(value string) step {
		return func(*http.Request) (*http.Response, error) {
			resp := answer(503, `{}`)
			resp.Header.Set("Retry-After", value)
			return resp, nil
		}
	}
	for _, tt := range []struct {
		name string
		opts []Option
		step step
		want time.Duration // between the two attempts
	}{
		{"a fault backs off", []Option{withDelay(3 * time.Second)}, reply(200, apiError("InternalError")), 3 * time.Second},
		{"a throttle waits for its turn at the rate that is learned from it", []Option{withDelay(3 * time.Second)}, throttled, 809 * time.Millisecond},
		{"a throttle waits for its next turn", []Option{withDelay(3 * time.Second), WithRateLimit(2, 1)}, throttled, 567 * time.Millisecond},
		{"a throttle empties the burst", []Option{withDelay(3 * time.Second), WithRateLimit(2, 9)}, throttled, 567 * time.Millisecond},
		{"a throttle backs off without pacing", []Option{withDelay(3 * time.Second), WithRateLimit(2, 9), WithoutPacing()}, throttled, 3 * time.Second},
		{"Retry-After", []Option{withDelay(0)}, askedToWait("5"), 5 * time.Second},
		{"the longer of Retry-After and backoff", []Option{withDelay(7 * time.Second)}, askedToWait("5"), 7 * time.Second},
		{"a classifier's RetryAfter", []Option{WithCode("InternalError", Verdict{Class: ClassRetryable, RetryAfter: 4 * time.Second})}, reply(200, apiError("InternalError")), 4 * time.Second},
		{"a backoff below zero", []Option{withDelay(-time.Hour)}, reply(200, apiError("InternalError")), 0},
		{"C46: Retry-After of an hour", nil, askedToWait("3600"), 20 * time.Second},
		{"C46: Retry-After of an age", nil, askedToWait("9223372036854775807"), 20 * time.Second},
		{"C46: Retry-After of more than a number", nil, askedToWait("99999999999999999999999"), 0},
		{"C46: Retry-After of minus one", nil, askedToWait("-1"), 0},
		{"C46: Retry-After of zero", nil, askedToWait("0"), 0},
		{"C46: Retry-After of garbage", nil, askedToWait("soon\x00"), 0},
		{"C46: Retry-After with a fraction", nil, askedToWait("1.5"), 0},
		{"C46: Retry-After as a date in the past", nil, askedToWait("Fri, 31 Dec 1999 23:59:59 GMT"), 0},
		{"C46: Retry-After as a date", nil, askedToWait("Sat, 01 Jan 2000 00:00:09 GMT"), 9 * time.Second},
		{"C46: Retry-After as a date in years", nil, askedToWait("Sat, 01 Jan 2050 00:00:09 GMT"), 20 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(tt.step, reply(200, success))
				begin := time.Now()
				resp, err := newTransport(t, base, tt.opts...).RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				assert.Equal(t, success, readAll(t, resp))
				assert.Equal(t, 2, base.attempts())
				assert.InDelta(t, tt.want, time.Since(begin), float64(5*time.Millisecond))
			})
		})
	}
}

func TestTransport_C46_RetryAfterDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resp := func(*http.Request) (*http.Response, error) {
			resp := answer(429, `{}`)
			resp.Header.Set("Retry-After", "-1")
			return resp, nil
		}
		base := scripted(resp)
		rt, err := NewTransport(base)
		require.NoError(t, err)
		got, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		got.Body.Close()
		assert.Equal(t, 4, base.attempts())
	})
}

func TestDefaultBackOff_IsFullJitter(t *testing.T) {
	ceilings := []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000, 20000}
	sums := make([]time.Duration, len(ceilings))
	const rounds = 500
	for range rounds {
		b := newDefaultBackOff()
		b.Reset()
		for i, ceiling := range ceilings {
			d := b.NextBackOff()
			require.GreaterOrEqual(t, d, time.Duration(0))
			require.LessOrEqual(t, d, ceiling*time.Millisecond)
			sums[i] += d
		}
	}
	for i, ceiling := range ceilings {
		assert.InEpsilon(t, ceiling*time.Millisecond/2, sums[i]/rounds, 0.2, "delay %d: half of %v on average", i+1, ceiling*time.Millisecond)
	}
}

func TestTransport_EveryCallHasABackOffOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		base := scripted(reply(200, apiError("InternalError")))
		rt := newTransport(t, base, WithBackOff(func() backoff.BackOff {
			made++
			return backoff.WithMaxRetries(&backoff.ZeroBackOff{}, 2)
		}))
		for range 3 {
			resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.NoError(t, err)
			resp.Body.Close()
		}
		assert.Equal(t, 3, made)
		assert.Equal(t, 9, base.attempts())
	})
}

func TestTransport_AnswersOfTheCallersNoAreNotRetried(t *testing.T) {
	for _, tt := range []struct {
		name     string
		step     step
		attempts int
	}{
		{"a fault that was answered", reply(200, apiError("InternalError")), 1},
		{"a throttle", reply(200, apiError("RequestLimitExceeded")), 2},
		{"never sent", fail(&unsentError{errLost}), 2},
		{"lost after it was sent", fail(errLost), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(tt.step, reply(200, success))
				req := newRequest(t, "DescribeInstances", `{}`)
				resp, err := newTransport(t, base).RoundTrip(req.WithContext(ContextWithIdempotent(req.Context(), false)))
				if err == nil {
					resp.Body.Close()
				}
				assert.Equal(t, tt.attempts, base.attempts())
			})
		})
	}
}

// A call that opens the breaker by its own fault does not sleep for an attempt that the breaker will refuse.
func TestTransport_NoSleepBehindAnOpenBreaker(t *testing.T) {
	settings := BreakerSettings{MinCalls: 2, OpenFor: 10 * time.Second}
	rows := []struct {
		name     string
		holdFor  time.Duration
		delay    time.Duration
		took     time.Duration
		attempts int
	}{
		{"refused at once", 0, 2 * time.Second, 2 * time.Second, 2},
		{"the delay outlasts the breaker", 0, 11 * time.Second, 22 * time.Second, 3},
		{"held", 20 * time.Second, 2 * time.Second, 12*time.Second + 1, 3},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, apiError("InternalError")), reply(200, apiError("InternalError")), reply(200, success))
				settings.HoldFor = row.holdFor
				rt := newTransport(t, base, withDelay(row.delay), WithBreaker(settings))
				begin := time.Now()
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, row.took, time.Since(begin))
				assert.Equal(t, row.attempts, base.attempts())
			})
		})
	}
}
