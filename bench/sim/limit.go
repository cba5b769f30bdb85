package sim

import (
	"math"
	"time"
)

// Limit is what no policy could surpass: what a scheduler would reach that knows quota, capacity and outage beforehand, lets the
// calls pass in the order of their deadlines, and whose calls take no time.
type Limit struct {
	// OK is how many calls can succeed, and Makespan when the last of them has.
	OK       int
	Makespan time.Duration
	// FailFast is how many succeed at most if those that begin in an outage are lost.
	FailFast int
	// Disturbed is how many can succeed while something is wrong.
	Disturbed int
}

// step returns the resolution of the computation: a millisecond, or a millionth of how long the scenario may take.
func (s *Scenario) step() time.Duration {
	lasts := s.Arrivals.For.D()
	if rate := s.usualRate(0); !s.Open() && !math.IsInf(rate, 1) {
		lasts = time.Duration(float64(s.total()) / rate * float64(time.Second))
	}
	return max(time.Millisecond, lasts/1e6)
}

// Limit computes the scenario's limit.
func (s *Scenario) Limit() Limit {
	var l Limit
	from, until := s.Disturbed()
	total, step, slots := s.total(), s.step(), supply{scenario: s}
	var arrived, gone int // calls that have come, and of these the ones that were answered or whose deadline has passed
	end := time.Duration(math.MaxInt64)
	if s.Open() {
		end = s.Arrivals.For.D() + s.Deadline.D()
	}
	for now := time.Duration(0); gone < total && now <= end; now += step {
		arrived, gone = s.due(now, total), max(gone, s.late(now-step, total))
		if !s.Open() {
			arrived, gone = total, l.OK
		}
		slots.advance(now)
		for gone < arrived && slots.take(now) {
			gone++
			l.OK++
			l.Makespan = now
			if from <= now && now < until {
				l.Disturbed++
			}
		}
	}
	l.FailFast = s.failFast(total, l.OK)
	return l
}

// limitWithin is the limit for those who let no call wait longer than that; zero is without bound.
func (s *Scenario) limitWithin(maxWait time.Duration) Limit {
	if maxWait == 0 || maxWait >= s.Deadline.D() {
		return s.Limit()
	}
	impatient := *s
	impatient.Deadline = Duration(maxWait)
	return impatient.Limit()
}

// due returns how many calls of an open load have arrived by that time, at regular intervals.
func (s *Scenario) due(now time.Duration, total int) int {
	if !s.Open() || now < 0 {
		return 0
	}
	return min(total, int(now.Seconds()*s.Arrivals.Rate)+1)
}

// late returns how many of them should have been answered by that time, if each came at the end of its interval.
func (s *Scenario) late(now time.Duration, total int) int {
	if !s.Open() {
		return 0
	}
	interval := time.Duration(float64(time.Second) / s.Arrivals.Rate)
	return s.due(now-s.Deadline.D()-interval, total)
}

// failFast returns how many calls succeed if each is made once, at the moment that it arrives.
func (s *Scenario) failFast(total, ok int) int {
	if !s.Open() {
		return ok
	}
	var sum float64
	for n := range total {
		sum += s.chance(time.Duration(float64(n) / s.Arrivals.Rate * float64(time.Second)))
	}
	return min(ok, int(sum+.5))
}

// chance returns the share of requests that an outage spares at that time.
func (s *Scenario) chance(now time.Duration) float64 {
	o := s.Outage
	if now < o.From.D() || now >= o.Until.D() {
		return 1
	}
	share := 1 - o.Refuse - o.Unavailable - o.InternalError - o.Hang
	if share < 1e-9 { // .6, .2 and .2 are not quite 1
		return 0
	}
	return share
}

// cost returns how many requests must get through the quota until one succeeds; infinity if none does.
func (s *Scenario) cost(now time.Duration) float64 {
	o, c := s.Outage, s.chance(now)
	switch c {
	case 0:
		return math.Inf(1)
	case 1:
		return 1
	}
	return (c + o.InternalError + o.Hang) / c
}

// supply is what the service can accept.
type supply struct {
	scenario *Scenario
	last     time.Duration
	begun    bool
	tokens   float64 // of the quota
	credit   float64 // of the capacity: 1 if it is idle
}

// advance adds what has come since the last time.
func (u *supply) advance(now time.Duration) {
	passed := (now - u.last).Seconds()
	q, c := u.scenario.quotaAt(now), u.scenario.capacityAt(u.last)
	switch {
	case q.PerSecond() == 0:
		u.tokens = math.Inf(1)
	case q.Limit > 0:
		if !u.begun || window(q, now) != window(q, u.last) {
			u.tokens = float64(q.Limit)
		}
	case !u.begun:
		u.tokens = float64(q.Burst)
	default:
		u.tokens = min(max(float64(q.Burst), q.Rate*passed), u.tokens+q.Rate*passed)
	}
	u.credit = min(max(1, c.Rate*passed), u.credit+c.Rate*passed)
	if !u.begun || c.Rate == 0 {
		u.credit = 1
	}
	u.last, u.begun = now, true
}

// window returns when the window begins that now is in. They begin at multiples of their length on the clock, and every bubble's
// clock begins at the same time.
func window(q Quota, now time.Duration) time.Time {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(now).Truncate(q.Window.D())
}

// take uses the next slot, if there is one.
func (u *supply) take(now time.Duration) bool {
	const rounding = 1e-6
	cost, needed := u.scenario.cost(now), 1.0
	if q := u.scenario.quotaAt(now); q.Burst > 1 || q.Limit > 1 {
		needed = min(cost, float64(q.Burst+q.Limit)) // what does not fit into a bucket is paid afterwards
	}
	busy := u.scenario.capacityAt(now).Rate > 0
	if math.IsInf(cost, 1) || u.tokens < needed-rounding || busy && u.credit < 1-rounding {
		return false
	}
	u.tokens -= cost
	u.credit--
	return true
}
