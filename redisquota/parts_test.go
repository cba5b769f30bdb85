package redisquota

import (
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNew_ReportsEveryBadValue(t *testing.T) {
	_, err := New(nil, WithLimit(0, 1), WithLimit(math.NaN(), 1), WithLimit(math.Inf(1), 1), WithLimit(1, 0), WithActionLimit("", 1, 1),
		WithActionLimit("RunInstances", -1, 1), WithWeight(0), WithWeight(101), WithTimeout(0), WithMaxWait(-1), WithPrefix("a{b"),
		WithHook(nil), WithLogger(nil), nil)
	for _, text := range []string{
		"the client is nil", "WithLimit: 0 a second", "WithLimit: NaN", "WithLimit: +Inf", "WithLimit: burst 0", `WithActionLimit(""`,
		`WithActionLimit("RunInstances"): -1`, "WithWeight(0)", "WithWeight(101)", "WithTimeout(0s)", "WithMaxWait(-1ns)", `WithPrefix("a{b")`,
		"WithHook(nil)", "WithLogger(nil)", "option 14 is nil",
	} {
		assert.ErrorContains(t, err, text)
	}
}

func TestConfig_LimitFor(t *testing.T) {
	c, err := newConfig(redis.NewClient(&redis.Options{}), []Option{
		WithLimit(20, 5), WithActionLimit("RunInstances", 2, 1), WithActionLimit("cvm:RunInstances", 3, 2),
	})
	require.NoError(t, err)
	of := func(service, action string) limit {
		other := target
		other.Service, other.Action = service, action
		return c.limitFor(other)
	}
	assert.Equal(t, limit{3, 2}, of("cvm", "RunInstances"))
	assert.Equal(t, limit{2, 1}, of("lighthouse", "RunInstances"))
	assert.Equal(t, limit{20, 5}, of("cvm", "DescribeInstances"))
}

func TestMeter(t *testing.T) {
	var m meter
	t0 := time.Now()
	assert.Zero(t, m.lastSecond(t0))
	for i := range 20 {
		m.add(t0.Add(time.Duration(i) * 100 * time.Millisecond))
	}
	at := t0.Add(1900 * time.Millisecond)
	assert.InDelta(t, 10, m.lastSecond(at), 2)
	assert.InDelta(t, 5, m.lastSecond(at.Add(500*time.Millisecond)), 2)
	assert.Zero(t, m.lastSecond(at.Add(time.Second)))
	assert.Zero(t, m.lastSecond(at.Add(time.Hour)))
}

func TestLease(t *testing.T) {
	var l lease
	t0 := time.Now()
	l.add(11, 3)
	l.settle(t0, 11, 10) // 11 is due now, the others follow at 10 a second
	assert.True(t, l.take(t0))
	assert.False(t, l.take(t0.Add(99*time.Millisecond)))
	assert.True(t, l.take(t0.Add(100*time.Millisecond)))

	l.settle(t0.Add(100*time.Millisecond), 12, 1) // the rate was cut: 13 is due in a second
	assert.False(t, l.take(t0.Add(200*time.Millisecond)))
	assert.True(t, l.take(t0.Add(1100*time.Millisecond)))

	l.add(14, 2)
	l.settle(t0, 20, 10)
	l.expire(t0.Add(leaseLife + 1))
	assert.Zero(t, l.size(), "Redis may have given them to others by now")

	l.giveBack(t0)
	assert.True(t, l.take(t0))
}

func TestSolo_KeepsToItsShare(t *testing.T) {
	t0 := time.Now()
	f := fleet{answer: answer{phase: fixed, rate: 100, sum: 4, level: -20, ttl: time.Minute}, asked: t0}
	var s solo
	s.leave(&f, limit{100, 40}, 1, 5, t0) // with five places in hand
	require.True(t, s.active(t0))
	taken := 0
	for at := t0; at.Before(t0.Add(2 * time.Second)); at = at.Add(time.Millisecond) {
		if ok, next := s.take(at); ok {
			taken++
		} else {
			assert.True(t, next.After(at))
		}
	}
	assert.InDelta(t, 2*25-5, taken, 1, "a quarter of the rate, with what is in hand")
	assert.False(t, s.lost(t0.Add(lostAfter)))
	assert.True(t, s.lost(t0.Add(lostAfter+1)))

	s.hold(30, t0.Add(4*time.Second), 0, t0.Add(3*time.Second))
	assert.InDelta(t, 25, s.share, 0, "Redis may not have heard of all the others yet")
	assert.True(t, s.active(t0.Add(3900*time.Millisecond)))
	assert.False(t, s.active(t0.Add(4*time.Second)))
}

func TestSolo_UsesTheBurstThatWasThere(t *testing.T) {
	t0 := time.Now()
	f := fleet{answer: answer{phase: fixed, rate: 10, sum: 2, level: 8, ttl: time.Minute}, asked: t0}
	var s solo
	s.leave(&f, limit{10, 10}, 1, 0, t0)
	taken := 0
	for {
		ok, _ := s.take(t0)
		if !ok {
			break
		}
		taken++
	}
	assert.Equal(t, 4, taken, "half of the eight tokens")
}

func TestSolo_LearnsCoarsely(t *testing.T) {
	t0 := time.Now()
	f := fleet{answer: answer{phase: feeling, rate: 100, sum: 1, ttl: time.Minute}, asked: t0}
	var s solo
	s.leave(&f, limit{}, 1, 0, t0)
	s.object(t0.Add(-1), 0, t0.Add(time.Second))
	assert.InDelta(t, 100, s.share, 0, "it was sent before")
	s.object(t0.Add(time.Second), 0, t0.Add(time.Second))
	assert.InDelta(t, 88, s.share, 1e-9)
	s.object(t0.Add(time.Second+1), 0, t0.Add(time.Second+soloGrace-1))
	assert.InDelta(t, 88, s.share, 1e-9, "once for all that was under way")
	s.take(t0.Add(2 * time.Second))
	s.take(t0.Add(3 * time.Second))
	assert.Greater(t, s.share, 88.0, "and it grows back")
}
