package tencenthttp

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// badOptions are options with values that NewTransport must report, and what the report must name.
var badOptions = []struct {
	option Option
	want   []string
}{
	{nil, []string{"option 1 is nil"}},
	{WithMaxAttempts(0), []string{"WithMaxAttempts(0)", "at least 1"}},
	{WithMaxAttempts(-3), []string{"WithMaxAttempts(-3)"}},
	{WithBackOff(nil), []string{"WithBackOff(nil)"}},
	{WithMaxElapsedTime(-time.Second), []string{"WithMaxElapsedTime", "-1s"}},
	{WithAttemptTimeout(-time.Minute), []string{"WithAttemptTimeout", "-1m0s"}},
	{WithRetryBudget(-0.1, 1), []string{"WithRetryBudget", "ratio -0.1"}},
	{WithRetryBudget(1.1, 1), []string{"WithRetryBudget", "ratio 1.1"}},
	{WithRetryBudget(math.NaN(), 1), []string{"WithRetryBudget", "ratio NaN"}},
	{WithRetryBudget(1, -1), []string{"WithRetryBudget", "minPerSecond -1"}},
	{WithRetryBudget(1, math.NaN()), []string{"WithRetryBudget", "minPerSecond NaN"}},
	{WithRetryBudget(1, math.Inf(1)), []string{"WithRetryBudget", "minPerSecond +Inf"}},
	{WithRateLimit(0, 1), []string{"WithRateLimit", "limit 0"}},
	{WithRateLimit(-1, 1), []string{"WithRateLimit", "limit -1"}},
	{WithRateLimit(rate.Limit(math.NaN()), 1), []string{"WithRateLimit", "limit NaN"}},
	{WithRateLimit(rate.Limit(math.Inf(1)), 1), []string{"WithRateLimit", "limit +Inf", "rate.Inf"}},
	{WithRateLimit(1, 0), []string{"WithRateLimit", "burst 0"}},
	{WithActionRateLimit("RunInstances", 1, -1), []string{`WithActionRateLimit("RunInstances")`, "burst -1"}},
	{WithActionRateLimit("RunInstances", -2, 1), []string{`WithActionRateLimit("RunInstances")`, "limit -2"}},
	{WithActionRateLimit("", 1, 1), []string{`WithActionRateLimit("")`, "empty"}},
	{WithLimiter(nil), []string{"WithLimiter(nil)"}},
	{WithMaxWait(-1), []string{"WithMaxWait", "-1ns"}},
	{WithBreaker(BreakerSettings{FailureRatio: -1}), []string{"WithBreaker", "FailureRatio -1"}},
	{WithBreaker(BreakerSettings{FailureRatio: 1.5}), []string{"WithBreaker", "FailureRatio 1.5"}},
	{WithBreaker(BreakerSettings{FailureRatio: math.NaN()}), []string{"WithBreaker", "FailureRatio NaN"}},
	{WithBreaker(BreakerSettings{Window: -1}), []string{"WithBreaker", "Window", "-1ns"}},
	{WithBreaker(BreakerSettings{OpenFor: -2}), []string{"WithBreaker", "OpenFor", "-2ns"}},
	{WithBreaker(BreakerSettings{HoldFor: -3}), []string{"WithBreaker", "HoldFor", "-3ns"}},
	{WithClassifier(nil), []string{"WithClassifier(nil)"}},
	{WithCode("", Verdict{}), []string{`WithCode("")`, "empty"}},
	{WithCode("InternalError", Verdict{Class: 9}), []string{`WithCode("InternalError")`, "9"}},
	{WithCode("InternalError", Verdict{RetryAfter: -1}), []string{`WithCode("InternalError")`, "-1ns"}},
	{WithIdempotentActions("Modify[", ""), []string{`WithIdempotentActions("Modify[")`, `WithIdempotentActions("")`}},
	{WithNonIdempotentActions("cvm:[z-"), []string{`WithNonIdempotentActions("cvm:[z-")`}},
	{WithLogger(nil), []string{"WithLogger(nil)"}},
	{WithMaxInspect(-1), []string{"WithMaxInspect(-1)"}},
	{WithMaxInspect(1<<30 + 1), []string{"WithMaxInspect(1073741825)", "1073741824"}},
	{WithMaxReplay(-5), []string{"WithMaxReplay(-5)"}},
	{WithMaxReplay(math.MaxInt64), []string{"WithMaxReplay(9223372036854775807)"}},
}

func TestNewTransport_ReportsEveryBadValue(t *testing.T) {
	for _, tt := range badOptions {
		t.Run(strings.Join(tt.want, " "), func(t *testing.T) {
			rt, err := NewTransport(nil, tt.option)
			require.Error(t, err)
			assert.Nil(t, rt)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.True(t, strings.HasPrefix(err.Error(), "tencenthttp: "))
		})
	}
}

func TestNewTransport_ReportsAllOfThemAtOnce(t *testing.T) {
	var opts []Option
	for _, bad := range badOptions {
		opts = append(opts, bad.option, WithMaxAttempts(2))
	}
	_, err := NewTransport(nil, opts...)
	require.Error(t, err)
	for _, bad := range badOptions {
		for _, want := range bad.want {
			assert.ErrorContains(t, err, want)
		}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "errors.Join")
	assert.Len(t, joined.Unwrap(), len(badOptions)+1, "one for each value; one option has two")
}

func TestNewTransport_TakesEveryGoodValue(t *testing.T) {
	for name, opt := range map[string]Option{
		"one attempt":        WithMaxAttempts(1),
		"no bound":           WithMaxElapsedTime(0),
		"no attempt timeout": WithAttemptTimeout(0),
		"no budget at all":   WithRetryBudget(0, 0),
		"largest budget":     WithRetryBudget(1, math.MaxFloat64),
		"no limit":           WithRateLimit(rate.Inf, 1),
		"smallest limit":     WithRateLimit(math.SmallestNonzeroFloat64, 1),
		"largest limit":      WithRateLimit(math.MaxFloat64/2, math.MaxInt),
		"no wait":            WithMaxWait(0),
		"default breaker":    WithBreaker(BreakerSettings{}),
		"shortest window":    WithBreaker(BreakerSettings{Window: 1, OpenFor: 1, HoldFor: 1, FailureRatio: 1, MinCalls: 1, Probes: math.MaxUint32}),
		"odd window":         WithBreaker(BreakerSettings{Window: 19}),
		"no patterns":        WithIdempotentActions(),
		"no hooks":           WithHooks(Hooks{}),
		"nothing inspected":  WithMaxInspect(0),
		"everything kept":    WithMaxReplay(1 << 30),
		"nothing kept":       WithMaxReplay(0),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, success))
				resp, err := newTransport(t, base, opt).RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				assert.Equal(t, success, readAll(t, resp))
			})
		})
	}
}

func TestNewTransport_Defaults(t *testing.T) {
	rt, err := NewTransport(nil)
	require.NoError(t, err)
	assert.Same(t, http.DefaultTransport, rt.Unwrap())
	c := rt.cfg
	assert.Equal(t, 4, c.maxAttempts)
	assert.Equal(t, time.Minute, c.maxElapsed)
	assert.Zero(t, c.attemptTimeout)
	assert.Equal(t, retryBudget{ratio: 0.2, minPerSecond: 10}, c.budget)
	assert.Equal(t, rate.Inf, c.limit.limit)
	assert.Zero(t, c.maxWait)
	c.breaker.Rand = nil
	assert.Equal(t, BreakerSettings{FailureRatio: 0.5, MinCalls: 20, Window: 10 * time.Second, OpenFor: 5 * time.Second, Probes: 1}, c.breaker)
	assert.Empty(t, c.hooks)
	assert.EqualValues(t, 64<<10, c.maxInspect)
	assert.EqualValues(t, 10<<20, c.maxReplay)
}

func TestOptions_TheLastOneCounts(t *testing.T) {
	c, err := newConfig([]Option{
		WithMaxAttempts(2), WithMaxAttempts(3),
		WithRetryBudget(1, 1), WithoutRetryBudget(),
		WithoutBreaker(), WithBreaker(BreakerSettings{Probes: 2}),
	})
	require.NoError(t, err)
	assert.Equal(t, 3, c.maxAttempts)
	assert.True(t, c.budget.off)
	assert.False(t, c.noBreaker)
	assert.EqualValues(t, 2, c.breaker.Probes)
}

func TestOptions_LimitFor(t *testing.T) {
	c, err := newConfig([]Option{
		WithRateLimit(1, 1), WithActionRateLimit("RunInstances", 2, 2), WithActionRateLimit("cvm:RunInstances", 3, 3),
		WithActionRateLimit("DescribeInstances", rate.Inf, 1),
	})
	require.NoError(t, err)
	for _, tt := range []struct {
		service, action string
		want            rateLimit
	}{
		{"cvm", "StartInstances", rateLimit{1, 1}},
		{"cbs", "RunInstances", rateLimit{2, 2}},
		{"cvm", "RunInstances", rateLimit{3, 3}},
		{"cvm", "DescribeInstances", rateLimit{rate.Inf, 1}},
	} {
		assert.Equal(t, tt.want, c.limitFor(tt.service, tt.action), tt)
	}
}

// countingLimiter counts how often it was asked.
type countingLimiter struct{ asked int }

func (l *countingLimiter) Wait(context.Context) error {
	l.asked++
	return nil
}

func TestWithLimiter_AllAreAskedBeforeEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, runs countingLimiter
		targets := []Target{}
		base := scripted(reply(200, apiError("InternalError")), reply(200, apiError("InternalError")), reply(200, success))
		rt := newTransport(t, base, WithLimiter(func(target Target) Limiter {
			targets = append(targets, target)
			return &all
		}), WithLimiter(limiterOf("RunInstances", &runs)))
		for range 2 {
			resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.NoError(t, err)
			resp.Body.Close()
		}
		resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, base.attempts(), all.asked)
		assert.Equal(t, 1, runs.asked)
		require.Len(t, targets, 2, "once for each target")
		assert.Equal(t, "DescribeInstances", targets[0].Action)
		assert.NotEmpty(t, targets[0].Account)
	})
}

// One slow answer must not keep out, for ever, all calls whose deadline is nearer than that.
func TestWithLimiter_ASlowAnswerDoesNotShutTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(after(20*time.Second, reply(200, success)), reply(200, success))
		rt := newTransport(t, base, WithRateLimit(100, 10), WithLimiter(func(Target) Limiter { return rate.NewLimiter(100, 100) }))
		for i := range 3 {
			req := newRequest(t, "DescribeInstances", `{}`)
			if i > 0 {
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
				defer stop()
				req = req.WithContext(ctx)
			}
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			resp.Body.Close()
		}
	})
}

func TestWithLimiter_ItsErrorEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, success))
		rt := newTransport(t, base, WithRateLimit(1, 1), WithLimiter(func(Target) Limiter { return refusing{} }))
		_, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.ErrorIs(t, err, ErrRateLimited)
		isReason(t, err, ReasonRateLimited)
		assert.ErrorContains(t, err, "no tokens")
		assert.Zero(t, base.attempts())
		for _, target := range rt.targets.all() {
			assert.InDelta(t, 1, target.pacer.ceiling.limiter.Tokens(), 0.001, "C38: the turn was given back")
		}
	})
}

func TestWithMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newTransport(t, scripted(reply(200, success)), WithRateLimit(1, 1), WithMaxWait(500*time.Millisecond))
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		_, err = rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.ErrorIs(t, err, ErrRateLimited)
		assert.Equal(t, time.Second, isReason(t, err, ReasonRateLimited).RetryAfter)
	})
}

func TestWithBackOff_Reset(t *testing.T) {
	b := backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(time.Second))
	b.Reset()
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")))
		rt, err := NewTransport(base, WithBackOff(func() backoff.BackOff { return b })) // its start is in another time
		require.NoError(t, err)
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Greater(t, base.attempts(), 1)
	})
}

func TestWithLogger_AndHooksAreAllCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		hook := func(name string) Option {
			return WithHooks(Hooks{Retry: func(context.Context, RetryInfo) { order = append(order, name) }})
		}
		var log strings.Builder
		rt := newTransport(t, scripted(reply(200, apiError("InternalError")), reply(200, success)),
			hook("a"), WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), hook("b"))
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, []string{"a", "b"}, order)
		assert.Equal(t, 1, strings.Count(log.String(), "\n"))
	})
}
