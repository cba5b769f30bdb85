package tencenthttp

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// healthy returns a brownout of a service that has accepted so many calls a second up to now, and its meter.
func healthy(perSecond int) (*brownout, *meter, time.Time) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := &meter{epoch: epoch}
	for n := range 10 * perSecond {
		m.add(epoch.Add(time.Duration(n) * time.Second / time.Duration(perSecond)))
	}
	return &brownout{}, m, epoch.Add(10 * time.Second)
}

func TestBrownout_HalfOfTheAnswersMustBeFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		every  int // answer is a fault
		limits bool
	}{{"a third", 3, false}, {"all", 1, true}} {
		t.Run(tt.name, func(t *testing.T) {
			b, m, now := healthy(100)
			cut := false
			for n := range 300 {
				if n%tt.every == 0 {
					cut = b.fault(now, m, now) || cut
				} else {
					b.accept(50*time.Millisecond, false, m, now)
				}
				now = now.Add(10 * time.Millisecond)
			}
			assert.Equal(t, tt.limits, cut)
			assert.Equal(t, tt.limits, b.limit() < math.MaxFloat64)
		})
	}
}

func TestBrownout_AnOutageHalvesTheRateOncePerRoundTrip(t *testing.T) {
	b, m, now := healthy(64)
	for !b.fault(now, m, now) {
		require.Less(t, b.faults, faultShare)
	}
	assert.InDelta(t, 80, b.limit(), 5, "not below what succeeds still, and some more")
	assert.False(t, b.fault(now.Add(-time.Millisecond), m, now), "it began before the cut")
	now = now.Add(5 * time.Second) // nothing is accepted any more
	for _, want := range []float64{32, 16, 8, 4, 4} {
		require.True(t, b.fault(now, m, now))
		assert.InDelta(t, want, b.limit(), 1, "never below a sixteenth of what it was")
		now = now.Add(time.Millisecond)
	}
	assert.Equal(t, time.Second, b.foresee(64).Round(10*time.Millisecond), "it is over before long, or the breaker opens")
	assert.False(t, b.grow(now.Add(time.Hour)), "while it fails nothing grows")
}

func TestBrownout_Returns(t *testing.T) {
	failed := func() (*brownout, *meter, time.Time) {
		b, m, now := healthy(100)
		for range 20 {
			b.fault(now, m, now)
			now = now.Add(time.Millisecond)
		}
		now = now.Add(5 * time.Second)
		for range 5 {
			b.fault(now, m, now)
			now = now.Add(time.Millisecond)
		}
		require.Less(t, b.limit(), 10.0)
		return b, m, now
	}
	t.Run("when the breaker has closed", func(t *testing.T) {
		b, _, now := failed()
		assert.False(t, b.heal(now.Add(-time.Hour), now), "it did so before")
		assert.True(t, b.heal(now, now))
		assert.InDelta(t, 50, b.limit(), 1, "half of what it was")
		assert.False(t, b.heal(now, now))
		b.waited = now.Add(time.Second)
		b.grow(now.Add(time.Second))
		assert.InDelta(t, 100, b.limit(), 2, "twice as much each second")
		assert.True(t, b.grow(now.Add(3*time.Second)), "nobody waits any more")
		assert.Equal(t, math.Inf(1), b.limit())
	})
	t.Run("when nearly all succeed", func(t *testing.T) {
		b, m, now := failed()
		successes := 0
		for !b.accept(50*time.Millisecond, false, m, now) {
			successes++
			now = now.Add(100 * time.Millisecond)
		}
		assert.InDelta(t, 18, successes, 3)
		assert.InDelta(t, 50, b.limit(), 1)
	})
}

func TestBrownout_SlowBoundsHowManyAreUnderWay(t *testing.T) {
	b, m, now := healthy(5)
	b.slowed(800*time.Millisecond, m, now)
	assert.InDelta(t, 7.5, b.limit(), 1, "half more than what comes back")
	assert.EqualValues(t, 8, b.flights(5), "twice what keeps it busy")
	assert.InDelta(t, 2*time.Second, b.foresee(10), float64(300*time.Millisecond), "by what comes back")
	b.accept(200*time.Millisecond, true, m, now)
	assert.EqualValues(t, 2, b.flights(5))
	// A service that is slow, but takes as many as one sends: 3 s each, and more come back the more are under way.
	b.fastest = 3 * time.Second
	flights := int64(2)
	for range 6 {
		flights = b.flights(float64(flights) / 3)
	}
	assert.Greater(t, flights, int64(64), "the bound doubles with every round trip")
	for range slowRun - 1 {
		assert.False(t, b.accept(50*time.Millisecond, false, m, now))
	}
	assert.True(t, b.accept(50*time.Millisecond, false, m, now), "as fast as usual")
}
