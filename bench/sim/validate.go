package sim

import (
	"errors"
	"fmt"
	"math"
)

// day is the longest scenario, in seconds of virtual time.
const day = 24 * 60 * 60

// Validate reports everything that makes no sense about the scenario.
func (s *Scenario) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("scenario "+s.Name+": "+format, args...))
		}
	}
	check(s.Name != "", "name: it needs one")
	s.checkLoad(check)
	s.Quota.check("quota", check)
	for i, c := range s.Changes {
		c.check(fmt.Sprintf("quotaChanges[%d]", i), check)
		check(c.At > 0 && (i == 0 || c.At > s.Changes[i-1].At), "quotaChanges[%d].at: %v: want them in order of time", i, c.At)
	}
	s.checkDisturbance(check)
	l := s.Latency
	check(l.Network[0] >= 0 && l.Network[1] >= l.Network[0], "latency.network: %v to %v: want the shorter first", l.Network[0], l.Network[1])
	check(l.Accepted >= 0 && l.Throttled >= 0, "latency: accepted %v, throttled %v: must not be negative", l.Accepted, l.Throttled)
	return errors.Join(errs...)
}

func (s *Scenario) checkLoad(check func(bool, string, ...any)) {
	a := s.Arrivals
	check(s.Open() != (s.Calls != 0), "load: want either arrivals or calls")
	check(s.Processes >= 1, "processes: %d: want at least 1", s.Processes)
	check(s.Deadline > 0, "deadline: %v: want above zero", s.Deadline)
	check(positive(a.Rate) && a.For >= 0, "arrivals: %v/s for %v: must not be negative", a.Rate, a.For)
	if s.Open() {
		check(a.For > 0 && a.For.Seconds() <= day, "arrivals.for: %v: want above zero and at most a day", a.For)
		check(a.Rate*a.For.Seconds() >= 1 && a.Rate*a.For.Seconds() <= 1e7, "arrivals: %v/s for %v: want 1 to 10 million calls", a.Rate, a.For)
		return
	}
	check(s.Calls >= 0 && s.Calls*s.Processes <= 1e7, "calls: %d: want at most 10 million", s.Calls)
	check(s.Workers >= 1, "workers: %d: want at least 1", s.Workers)
	check(s.Pause >= 0, "pause: %v: must not be negative", s.Pause)
	if rate := s.usualRate(0); !math.IsInf(rate, 1) {
		check(float64(s.total())/rate <= day, "calls: %d at %v/s take longer than a day", s.total(), rate)
	}
}

func (q Quota) check(key string, check func(bool, string, ...any)) {
	check(q.Limit == 0 && q.Window == 0 || q.Rate == 0 && q.Burst == 0, "%s: want either rate and burst or limit and window", key)
	check(positive(q.Rate) && (q.Rate > 0) == (q.Burst > 0) && q.Burst >= 0, "%s: rate %v, burst %d: want both above zero, or neither", key, q.Rate, q.Burst)
	check(q.Limit >= 0 && q.Window >= 0 && (q.Limit > 0) == (q.Window > 0), "%s: limit %d, window %v: want both above zero, or neither", key, q.Limit, q.Window)
}

func (s *Scenario) checkDisturbance(check func(bool, string, ...any)) {
	o, b := s.Outage, s.Brownout
	check(o.From >= 0 && (o.Until > o.From || o == Outage{}), "outage: from %v until %v: want the earlier first", o.From, o.Until)
	sum := o.Refuse + o.Unavailable + o.InternalError + o.Hang
	least := min(o.Refuse, o.Unavailable, o.InternalError, o.Hang)
	check(least >= 0 && sum <= 1+1e-9, "outage: want shares that add up to at most 1")
	check(o.Until == 0 || sum > 0, "outage: nothing fails in it")
	check(b.From >= 0 && (b.Until > b.From || b == Brownout{}), "brownout: from %v until %v: want the earlier first", b.From, b.Until)
	check(b.Until == 0 || b.Rate > 0, "brownout.rate: %v: want above zero; no service at all is an outage", b.Rate)
	check(b.Until == 0 || o.Until == 0, "want an outage or a brownout, not both")
	for key, c := range map[string]Capacity{"capacity": s.Capacity, "brownout": b.Capacity} {
		check(positive(c.Rate) && c.MaxQueue >= 0, "%s: %v/s, maxQueue %v: must not be negative", key, c.Rate, c.MaxQueue)
	}
}

// positive tells whether f is a number, and not negative.
func positive(f float64) bool { return f >= 0 && !math.IsInf(f, 1) }
