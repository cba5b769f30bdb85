package tencenthttp

import (
	"math"

	"golang.org/x/time/rate"
)

// RateCause says why a learned rate has changed. Its text is meant for logs and metrics and is stable.
type RateCause string

// The causes.
const (
	RateThrottled RateCause = "throttled" // the service has throttled a call
	RateSlow      RateCause = "slow"      // its answers have become slow
	RateFault     RateCause = "fault"     // half of its answers are faults
	RateRecovered RateCause = "recovered" // it is well again
	RateForgotten RateCause = "forgotten" // nobody has needed the rate for five minutes
)

// maxRateChanges is how many changes of one target are kept for the next call that tells the hooks. There are more only if the
// hooks are slower than the changes; then the oldest is left out.
const maxRateChanges = 16

// tell notes a change of the rate, which was that before, for the hooks. The caller holds the mutex.
func (p *pacer) tell(cause RateCause, before float64) {
	if cause == "" || !p.tells {
		return
	}
	change := RateChangeInfo{From: limitOf(before), To: limitOf(p.rate()), Cause: cause}
	if len(p.changes) == maxRateChanges {
		p.changes = append(p.changes[:0], p.changes[1:]...)
	}
	p.changes = append(p.changes, change)
	p.changed.Store(true)
}

// takeChanges returns the changes since it was last asked.
func (p *pacer) takeChanges() []RateChangeInfo {
	if !p.changed.Load() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	changes := p.changes
	p.changes = nil
	p.changed.Store(false)
	return changes
}

// limitOf returns a rate in calls per second as a rate.Limit, whose infinity is a finite number.
func limitOf(perSecond float64) rate.Limit {
	if math.IsInf(perSecond, 1) {
		return rate.Inf
	}
	return rate.Limit(perSecond)
}
