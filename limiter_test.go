package tencenthttp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// learningLimiter notes what it is asked and told, and lets everything pass.
type learningLimiter struct {
	starts []time.Time
	seen   []AttemptInfo
}

func (l *learningLimiter) Wait(ctx context.Context) error {
	l.starts = append(l.starts, CallStart(ctx))
	return nil
}

func (l *learningLimiter) Observe(_ context.Context, info AttemptInfo) { l.seen = append(l.seen, info) }

func TestObserver_IsToldOfEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limiter learningLimiter
		base := scripted(reply(200, apiError("RequestLimitExceeded")), reply(200, apiError("InternalError")), after(time.Second, reply(200, success)))
		rt := newTransport(t, base, WithLimiter(func(Target) Limiter { return &limiter }))
		begin := time.Now()
		resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()

		require.Len(t, limiter.seen, 3)
		assert.True(t, limiter.seen[0].Verdict.Throttled)
		assert.Equal(t, "RequestLimitExceeded", limiter.seen[0].Code)
		assert.True(t, limiter.seen[1].Verdict.Fault)
		assert.Equal(t, ClassSuccess, limiter.seen[2].Verdict.Class)
		assert.Equal(t, time.Second, limiter.seen[2].Latency)
		assert.Equal(t, []time.Time{begin, begin, begin}, limiter.starts, "a retry keeps its call's place")
		assert.Equal(t, rate.Inf, rt.Stats()[0].Limit, "the transport leaves the learning to it")
	})
}

// Whoever learns knows when the next turn is; without learning, and for other limiters, a throttle backs off.
func TestObserver_AThrottleHasNoBackoff(t *testing.T) {
	for _, tt := range []struct {
		name    string
		limiter Limiter
		opts    []Option
		waits   bool
	}{
		{"an observer", &learningLimiter{}, nil, false},
		{"an observer and a configured ceiling", &learningLimiter{}, []Option{WithRateLimit(1000, 1000)}, false},
		{"an observer, without pacing", &learningLimiter{}, []Option{WithoutPacing()}, true},
		{"another limiter, without pacing", &countingLimiter{}, []Option{WithoutPacing()}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, apiError("RequestLimitExceeded")), reply(200, success))
				rt := newTransport(t, base, append(tt.opts,
					withDelay(time.Second), WithLimiter(func(Target) Limiter { return tt.limiter }))...)
				begin := time.Now()
				resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, 2, base.attempts())
				assert.Equal(t, tt.waits, time.Since(begin) >= time.Second)
			})
		})
	}
}

func TestCallStart_OfAnyOtherContext(t *testing.T) {
	assert.Zero(t, CallStart(t.Context()))
}

// tooLong is a refusal that says how long.
type tooLong struct{ wait time.Duration }

func (e tooLong) Error() string              { return "the line is too long" }
func (e tooLong) RetryAfter() time.Duration  { return e.wait }
func (e tooLong) Wait(context.Context) error { return e }
func (e tooLong) Is(target error) bool       { return target == errTooLong }

var errTooLong = errors.New("too long")

func TestLimiter_ItsErrorSaysHowLong(t *testing.T) {
	for _, wait := range []time.Duration{3 * time.Second, -1} {
		rt := newTransport(t, scripted(reply(200, success)), WithLimiter(func(Target) Limiter { return tooLong{wait} }))
		_, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
		require.ErrorIs(t, err, ErrRateLimited)
		require.ErrorIs(t, err, errTooLong)
		assert.Equal(t, max(0, wait), isReason(t, err, ReasonRateLimited).RetryAfter)
	}
}
