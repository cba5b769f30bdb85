package tencenthttp

import "time"

// take spends a token of each limit, if all have one.
func (p *pacer) take(now time.Time) bool {
	p.pressing = false
	if p.health.phase == healthSlow && p.flying.Load() >= p.health.flights(p.meter.rate(now, time.Second)) {
		return false
	}
	if p.learned.phase == settling || now.Before(p.learned.pauseUntil) {
		return false
	}
	if p.ceiling != nil && !p.ceiling.take(now) {
		return false
	}
	if p.paced != nil && !p.paced.take(now) {
		p.pressing, p.waited = true, now
		if p.ceiling != nil {
			p.ceiling.giveBack(now)
		}
		return false
	}
	p.flying.Add(1)
	return true
}

// until returns how long it takes until the next token may be there.
func (p *pacer) until(now time.Time) time.Duration {
	if p.learned.phase == settling {
		return max(time.Microsecond, p.learned.cutAt.Add(settleTime).Sub(now))
	}
	var delay time.Duration
	if p.ceiling != nil {
		delay = p.ceiling.until(1, now)
	}
	if p.paced != nil {
		delay = max(delay, p.paced.until(1, now))
	}
	delay = max(delay, p.learned.pauseUntil.Sub(now))
	switch {
	case delay == 0: // too many are under way
		return time.Second
	case p.paced != nil: // the rate grows meanwhile
		return min(delay, 250*time.Millisecond)
	}
	return delay
}

// foresee returns how long it may well take until a call gets its turn that is the nth.
func (p *pacer) foresee(n int, now time.Time) time.Duration {
	var delay time.Duration
	if p.ceiling != nil {
		delay = p.ceiling.until(n, now)
	}
	return max(delay, p.learned.foresee(n), p.health.foresee(n))
}

func seconds(s float64) time.Duration {
	if !(s < endless.Seconds()) {
		return endless
	}
	return time.Duration(s * float64(time.Second))
}

// spend takes a token without standing in line.
func (p *pacer) spend() {
	p.flying.Add(1)
	if !p.limited.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.ceiling != nil {
		p.ceiling.spend(now)
	}
	if p.paced != nil {
		p.paced.spend(now)
	}
}

// giveBack returns the token of a turn that led to no attempt.
func (p *pacer) giveBack() {
	if !p.limited.Load() {
		p.flying.Add(-1)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.putBack(now)
	p.dispatch(now)
}

func (p *pacer) putBack(now time.Time) {
	p.flying.Add(-1)
	if p.ceiling != nil {
		p.ceiling.giveBack(now)
	}
	if p.paced != nil {
		p.paced.giveBack(now)
	}
}

// shortened returns how long a wait may be foreseen that must not be longer than that: a rate that is learned may be cut meanwhile.
func (p *pacer) shortened(maxWait time.Duration) time.Duration {
	if p.paced == nil {
		return maxWait
	}
	return maxWait - time.Duration(cutShare*float64(maxWait))
}
