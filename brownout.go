package tencenthttp

import (
	"math"
	"time"
)

// brownout bounds what is sent to a service that has become slow or fails, without a word about a quota, to what it still gets
// done. It is guarded by its pacer's mutex.
//
//   - Slow: every answer takes much longer than usual, and more of them are under way than usual. Then only so many may be under way
//     as keep the service busy, and the rate follows what comes back. A service that is slow for another reason, and could do more
//     at a time, shows it: the more are under way the more come back, and so the bound grows.
//   - Failing: half of the answers are faults. Then the rate is halved, down to little more than what succeeds, until fewer are.
//   - Returning: the service is well again. The rate begins at half of what it was before, and doubles every second, until nobody waits.
type brownout struct {
	phase   healthPhase
	rate    float64       // calls per second
	good    float64       // accepted per second before it began
	fastest time.Duration // answer since it became slow
	faults  float64       // share among the last answers, the latest counting most
	fast    int           // answers in a row that were as fast as usual
	fresh   bool          // returning has just begun
	cutAt   time.Time     // what began before it says nothing new
	grownAt time.Time
	waited  time.Time // when somebody last waited
}

type healthPhase uint8

const (
	healthWell healthPhase = iota
	healthSlow
	healthFailing
	healthReturning
)

const (
	slowRun      = 4    // slow answers in a row
	slowRoom     = 1.5  // of what comes back, for the rate
	slowFlight   = 2    // of the fastest answer's time, for how many may be under way
	faultMemory  = 8    // answers, over which the share of faults is taken, about
	faultShare   = 0.5  // of the answers: the default of BreakerSettings.FailureRatio
	sparedFaults = 0.1  // of the answers, below which the service is well again
	faultRoom    = 1.25 // of what succeeds, for the rate
	faultGrowth  = 1.3  // each second
	aliveRate    = 0.97 // calls per second; at just one a second they would keep step with timeouts of whole seconds
	minReturn    = 10   // calls per second
	idleReturn   = time.Second
)

// limit returns the rate now, infinite if the service is well.
func (b *brownout) limit() float64 {
	if b.phase == healthWell {
		return math.Inf(1)
	}
	return b.rate
}

// flights returns how many attempts may be under way, if the service gets so many done in a second.
func (b *brownout) flights(done float64) int64 {
	return max(2, int64(math.Ceil(done*slowFlight*b.fastest.Seconds())))
}

// troubled tells whether few answers were accepted of late because of faults or slowness.
func (b *brownout) troubled() bool { return b.phase != healthWell || b.faults > faultShare/2 }

// leastRate is what is sent to a service that gets nothing done.
func (b *brownout) leastRate() float64 { return max(aliveRate, b.good/16) }

// begin bounds the rate.
func (b *brownout) begin(phase healthPhase, m *meter, now time.Time) {
	if b.phase == healthWell {
		b.good = m.rate(now, longestLately)
		b.rate = math.Inf(1)
	}
	b.phase, b.grownAt, b.waited, b.cutAt, b.fast = phase, now, now, now, 0
}

// slowed takes note that answers are slow now.
func (b *brownout) slowed(took time.Duration, m *meter, now time.Time) {
	b.begin(healthSlow, m, now)
	b.fastest = took
	b.follow(m, now)
}

// follow sets the rate to what comes back, and some more.
func (b *brownout) follow(m *meter, now time.Time) {
	b.rate = max(b.leastRate(), slowRoom*m.rate(now, time.Second))
}

// fault takes note of a fault. It returns whether the rate was cut.
func (b *brownout) fault(began time.Time, m *meter, now time.Time) bool {
	b.faults += (1 - b.faults) / faultMemory
	if b.faults < faultShare || began.Before(b.cutAt) {
		return false
	}
	b.begin(healthFailing, m, now)
	b.rate = min(b.rate, max(b.good, minReturn))
	b.rate = max(b.rate/2, b.leastRate(), faultRoom*m.rate(now, time.Second))
	return true
}

// accept takes note of an answer that took so long, slow or not. It returns whether the service is well again.
func (b *brownout) accept(took time.Duration, slow bool, m *meter, now time.Time) bool {
	if b.faults -= b.faults / faultMemory; b.faults < 0.01 {
		b.faults = 0
	}
	switch b.phase {
	case healthSlow:
		b.fastest = min(b.fastest, took)
		b.follow(m, now)
		if b.fast++; slow {
			b.fast = 0
		}
		if b.fast < slowRun {
			return false
		}
	case healthFailing:
		if b.faults >= sparedFaults {
			return false
		}
	default:
		return false
	}
	b.recover(now)
	return true
}

// heal lets calls return if the endpoint's breaker has closed since the last cut. It returns whether it has.
func (b *brownout) heal(closed, now time.Time) bool {
	if b.phase != healthFailing || !closed.After(b.cutAt) {
		return false
	}
	b.recover(now)
	return true
}

// recover lets calls return.
func (b *brownout) recover(now time.Time) {
	b.phase, b.fresh, b.grownAt, b.waited = healthReturning, true, now, now
	b.rate = max(min(b.rate, 2*b.good), b.good/2, minReturn)
	b.faults = min(b.faults, faultShare/2)
}

// grow lets the rate grow for the time since it last did. It returns whether the service is well from now on.
func (b *brownout) grow(now time.Time) bool {
	passed := now.Sub(b.grownAt)
	if passed <= 0 || b.phase == healthWell {
		return false
	}
	b.grownAt = now
	switch {
	case b.phase == healthReturning:
		b.rate *= math.Exp2(min(1, passed.Seconds()))
	case b.phase == healthFailing && b.faults < faultShare:
		b.rate *= math.Pow(faultGrowth, min(1, passed.Seconds()))
	}
	b.rate = min(maxRate, b.rate)
	if b.phase == healthFailing && b.faults >= faultShare || now.Sub(b.waited) <= idleReturn {
		return false
	}
	b.phase = healthWell
	return true
}

// foresee returns how long it may well take until n calls have got their turn.
func (b *brownout) foresee(n int) time.Duration {
	switch b.phase {
	case healthSlow:
		return seconds(float64(n) * slowRoom / b.rate)
	case healthFailing: // which is over before long, or the breaker opens
		return seconds(float64(n) / max(b.rate, b.good))
	case healthReturning:
		return doubling(n, b.rate)
	}
	return 0
}
