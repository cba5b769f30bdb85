package sim

import (
	"math"
	"sort"
	"time"
)

// Disturbance is how a policy did while something was wrong, and right after.
type Disturbance struct {
	// PerCall is how many requests were sent in that time for each call that began in it.
	PerCall float64
	// Used is the share of what the service could do in that time that went into calls which succeeded; NaN if it could do nothing.
	Used float64
	// FirstOK is when the first call succeeded after it, and Recovery the beginning of the first second (or the time of ten
	// calls, if that is more) in which 90 % of as many calls succeed as arrive. They count from its end; negative is never.
	FirstOK, Recovery time.Duration
}

const never = time.Duration(-1)

func newDisturbance(s *Scenario, limit Limit, j *journal) *Disturbance {
	from, until := s.Disturbed()
	within := func(t time.Duration) bool { return from <= t && t < until }
	var begun, sent, ok int
	var after []time.Duration // successes
	for _, c := range j.calls {
		if within(c.begun) {
			begun++
		}
		if c.err == nil && within(c.end) {
			ok++
		}
		if c.err == nil && c.end >= until {
			after = append(after, c.end-until)
		}
	}
	for _, w := range j.wires {
		if within(w.sent) {
			sent++
		}
	}
	d := &Disturbance{PerCall: float64(sent) / float64(begun), Used: math.NaN(), FirstOK: never, Recovery: never}
	if limit.Disturbed > 0 {
		d.Used = float64(ok) / float64(limit.Disturbed)
	}
	if len(after) > 0 {
		d.FirstOK = after[0]
		d.Recovery = recovery(after, s.usualRate(until))
	}
	return d
}

// recovery looks for the first window full of successes, in order of time, that begins at zero or with a success.
func recovery(successes []time.Duration, rate float64) time.Duration {
	window := max(time.Second, time.Duration(10/rate*float64(time.Second)))
	enough := int(math.Ceil(.9 * rate * window.Seconds()))
	full := func(from int, begin time.Duration) bool {
		return sort.Search(len(successes), func(i int) bool { return successes[i] >= begin+window })-from >= enough
	}
	if full(0, 0) {
		return 0
	}
	for i, begin := range successes {
		if full(i, begin) {
			return begin
		}
	}
	return never
}

// usualRate returns how many calls succeed in a second if nothing is wrong.
func (s *Scenario) usualRate(at time.Duration) float64 {
	usual := math.Inf(1)
	for _, rate := range []float64{s.Arrivals.Rate, s.RateAt(at), s.Capacity.Rate} {
		if rate > 0 {
			usual = min(usual, rate)
		}
	}
	return usual
}
