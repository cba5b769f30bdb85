package tencenthttp

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// forgetAfter is how long a rate is remembered that nobody has had to wait for: by then the quota may be another one.
const forgetAfter = 5 * time.Minute

// land takes note that an attempt is over of which nothing can be learned.
func (p *pacer) land() {
	if p.flying.Add(-1); !p.limited.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dispatch(time.Now())
}

// learn takes note of what came of an attempt that began and ended at these times.
func (p *pacer) learn(verdict Verdict, answered bool, began, now time.Time) {
	flying := p.flying.Add(-1)
	took := now.Sub(began)
	if answered && !verdict.Throttled { // a throttled answer comes back sooner than a real one
		usual := p.usualLatency()
		p.latency.Store(int64(max(took, usual-(usual-took)/8)))
	}
	accepted := answered && !verdict.Throttled && !verdict.Fault
	slow := false
	if accepted {
		p.meter.add(now)
		slow = p.pulse.beat(took)
	}
	if !p.limited.Load() && (!p.learns || accepted && !slow || !accepted && !verdict.Throttled && !verdict.Fault) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now = time.Now()
	p.adapt(now)
	before, cause := p.rate(), RateCause("")
	if p.learns {
		switch {
		case verdict.Throttled:
			cause = p.throttled(began, now)
		case verdict.Fault:
			if p.health.fault(began, &p.meter, now) {
				cause = RateFault
			}
		case accepted:
			cause = p.accepted(took, slow, flying, now)
		}
	}
	if p.learned.phase == settling && flying <= 0 {
		p.settle(now)
		before, cause = math.Inf(1), RateThrottled
	}
	p.apply(now)
	p.tell(cause, before)
	p.dispatch(now)
}

func (p *pacer) throttled(began, now time.Time) (cause RateCause) {
	switch {
	case p.learned.learning():
		if p.learned.object(began, now, p.meter.rate(now, p.learned.window())) {
			cause = RateThrottled
		}
	case p.ceiling != nil:
		p.learned.start(float64(p.ceiling.limiter.Limit()), now)
		cause = RateThrottled
	default:
		p.learned.begin(now)
	}
	if p.ceiling != nil {
		p.ceiling.drain(now)
	}
	return cause
}

func (p *pacer) accepted(took time.Duration, slow bool, flying int64, now time.Time) (cause RateCause) {
	if p.learned.learning() {
		p.learned.accept()
	}
	if p.health.accept(took, slow, &p.meter, now) {
		return RateRecovered
	}
	if !slow || p.health.phase == healthSlow || p.pulse.run.Load() < slowRun {
		return ""
	}
	// Slow answers alone may be long ones. By Little's law so many are under way if all is well, bursts aside.
	usual := time.Duration(p.pulse.usual.Load()).Seconds() * p.meter.rate(now, time.Second)
	if float64(flying) <= 4+2*usual {
		return ""
	}
	p.health.slowed(took, &p.meter, now)
	return RateSlow
}

// settle ends the pause at the beginning of learning. What is still under way then is not throttled: that would be back.
func (p *pacer) settle(now time.Time) {
	estimate := max(p.meter.rate(now, time.Second), p.meter.rate(now, 4*time.Second)) + float64(p.flying.Load())
	if p.health.troubled() { // few were accepted for another reason
		estimate = max(estimate, p.health.good)
	}
	p.learned.settle(estimate, now)
}

// adapt lets the rates grow for the time that has passed, and forgets what is too old. The caller holds the mutex.
func (p *pacer) adapt(now time.Time) {
	if !p.learned.learning() && p.health.phase == healthWell {
		return
	}
	before, cause := p.rate(), RateCause("")
	if !p.line.empty() {
		p.health.waited = now
		if p.pressing {
			p.waited = now
		}
	}
	switch {
	case p.learned.phase == settling && now.Sub(p.learned.cutAt) >= settleTime:
		p.settle(now)
		before, cause = math.Inf(1), RateThrottled
	case now.Sub(p.waited) < time.Second:
		p.learned.grow(now)
	case p.learned.learning() && now.Sub(p.waited) > forgetAfter && now.Sub(p.learned.cutAt) > forgetAfter:
		p.learned = learnedRate{}
		cause = RateForgotten
	default:
		p.learned.rest(now)
	}
	if p.health.grow(now) {
		cause = RateRecovered
	}
	p.apply(now)
	p.tell(cause, before)
}

// rate returns the rate that was learned, in calls per second; infinite if there is none.
func (p *pacer) rate() float64 { return min(p.learned.limit(), p.health.limit()) }

// apply sets the rate at which turns come.
func (p *pacer) apply(now time.Time) {
	p.pulse.held.Store(p.health.phase != healthWell)
	r := p.rate()
	if p.health.fresh { // what the bucket lacks is from another time
		p.health.fresh, p.paced = false, nil
	}
	switch {
	case math.IsInf(r, 1):
		p.paced = nil
		p.limited.Store(p.ceiling != nil || p.health.faults > 0)
		return
	case p.paced == nil:
		p.paced = newBucket(rate.Limit(r), 1)
		if p.health.phase != healthReturning {
			p.paced.drain(now)
		}
		p.limited.Store(true)
	}
	// A hundredth of a second's tokens at once: timers are no more exact than that.
	if burst := 1 + int(r/100); burst != p.paced.limiter.Burst() {
		p.paced.limiter.SetBurstAt(now, burst)
	}
	p.paced.limiter.SetLimitAt(now, rate.Limit(r))
}
