package tencenthttp

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quota is a service with a token bucket, and a client that sends at a learned rate and always has more to send.
type quota struct {
	rate, burst float64
	tokens      float64
	now         time.Time
	meter       meter
	learned     learnedRate

	sent, throttled int
}

func newQuota(perSecond, burst float64) *quota {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	q := &quota{rate: perSecond, burst: burst, now: epoch, meter: meter{epoch: epoch}}
	q.learned.settle(1, epoch)
	return q
}

// run sends for so long, each call at its turn, and answers at once.
func (q *quota) run(lasts time.Duration) {
	for end := q.now.Add(lasts); q.now.Before(end); {
		wait := max(time.Microsecond, seconds(1/q.learned.rate))
		if pause := q.learned.pauseUntil.Sub(q.now); pause > wait {
			wait = pause
		}
		q.now = q.now.Add(wait)
		q.tokens = min(q.burst, q.tokens+q.rate*wait.Seconds())
		q.learned.grow(q.now)
		q.sent++
		if q.tokens < 1 {
			q.throttled++
			q.learned.object(q.now, q.now, q.meter.rate(q.now, q.learned.window()))
			continue
		}
		q.tokens--
		q.meter.add(q.now)
		q.learned.accept()
	}
}

func (q *quota) reset() { q.sent, q.throttled = 0, 0 }

func TestLearnedRate_FindsTheQuota(t *testing.T) {
	for _, tt := range []struct {
		rate, burst float64
		used        float64 // at least
		wasted      float64 // at most
	}{
		{1, 1, 0.8, 0.08},
		{1, 5, 0.9, 0.08},
		{5, 5, 0.95, 0.025},
		{20, 1, 0.85, 0.015},
		{20, 20, 0.97, 0.01},
		{100, 100, 0.97, 0.005},
		{1000, 1000, 0.97, 0.002},
		{1000, 1, 0.85, 0.01},
	} {
		q := newQuota(tt.rate, tt.burst)
		q.run(30 * time.Second)
		q.reset()
		q.run(5 * time.Minute)
		accepted := float64(q.sent - q.throttled)
		assert.Greater(t, accepted/(tt.rate*300), tt.used, "%v/s, burst %v", tt.rate, tt.burst)
		assert.Less(t, float64(q.throttled)/float64(q.sent), tt.wasted, "%v/s, burst %v", tt.rate, tt.burst)
	}
}

func TestLearnedRate_FollowsAChange(t *testing.T) {
	for _, tt := range []struct {
		from, to float64
		within   time.Duration
	}{
		{20, 5, 4 * time.Second},
		{5, 50, 15 * time.Second},
		{1000, 100, 4 * time.Second},
		{10, 100, 40 * time.Second},
	} {
		q := newQuota(tt.from, tt.from)
		q.run(time.Minute)
		assert.InEpsilon(t, tt.from, q.learned.rate, 0.3)
		q.rate, q.burst = tt.to, tt.to
		q.run(tt.within)
		assert.InEpsilon(t, tt.to, q.learned.rate, 0.5, "from %v to %v/s", tt.from, tt.to)
	}
}

// Two that share a quota come closer to each other: a constant factor down, a constant step up.
func TestLearnedRate_SharesFairly(t *testing.T) {
	step := func(goal float64) float64 {
		l := learnedRate{phase: holding, goal: goal}
		return cutShare * goal / l.linger()
	}
	assert.InDelta(t, step(0.5), step(1.5), 1e-9, "below 2/s the step is the same for all")
	crowd := learnedRate{phase: holding, goal: 4, rhythm: rhythm{regular: -2}}
	alone := learnedRate{phase: holding, goal: 4, rhythm: rhythm{regular: 2}}
	assert.Greater(t, crowd.linger(), 1.5*alone.linger(), "in a crowd nobody makes haste")
}

func TestLearnedRate_OneThrottleIsOneCut(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := learnedRate{phase: holding, rate: 20, goal: 20, cutAt: now.Add(-10 * time.Second), grownAt: now, accepted: 200, answers: 200}
	require.True(t, l.object(now, now, 20))
	cut := l.rate
	assert.InDelta(t, 20*(1-cutShare), cut, 0.01)
	assert.False(t, l.object(now.Add(-time.Millisecond), now.Add(time.Second), 20), "it began before the cut")
	assert.False(t, l.object(now.Add(time.Millisecond), now.Add(100*time.Millisecond), 20), "too soon to know better")
	assert.InDelta(t, cut, l.rate, 0)
	assert.True(t, l.pauseUntil.After(now), "two in a row: there is nothing to be had for a moment")
	l.accept()
	assert.Zero(t, l.inARow)
}

// At two calls a second the measured rate is mostly noise: one throttle never cuts deeper than this.
func TestLearnedRate_FewAnswersSayLittle(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := learnedRate{phase: holding, rate: 2, goal: 2, cutAt: now.Add(-time.Second), grownAt: now, accepted: 1, answers: 1}
	require.True(t, l.object(now, now, 0.5))
	assert.InDelta(t, 2*leastGoal*(1-cutShare), l.rate, 0.01)
}

func TestLearnedRate_Starts(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var l learnedRate
	assert.False(t, l.learning())
	assert.Equal(t, math.Inf(1), l.limit())
	assert.Zero(t, l.foresee(100))
	l.begin(now)
	assert.True(t, l.learning())
	assert.Zero(t, l.limit(), "what is under way settles")
	assert.False(t, l.object(now, now, 5))
	for _, tt := range []struct{ estimate, want float64 }{{0, 1}, {1, 1}, {4, 2}, {16, 4}, {100, 25}} {
		l.settle(tt.estimate, now)
		assert.InDelta(t, tt.want, l.limit(), 0.01, "estimate %v", tt.estimate)
	}
	l.grow(now.Add(2 * time.Second))
	assert.InDelta(t, 100, l.limit(), 0.01, "it doubles every second")
	assert.InDelta(t, time.Second, l.foresee(144), float64(10*time.Millisecond), "100/ln 2 calls in the next")
}
