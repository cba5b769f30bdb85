package tencenthttp

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// counters are a target's numbers since it was first seen.
type counters struct{ calls, attempts, retries, throttled, faults, refused atomic.Uint64 }

// count adds an attempt, the call's nth.
func (s *counters) count(verdict Verdict, nth int) {
	s.attempts.Add(1)
	if nth > 1 {
		s.retries.Add(1)
	}
	if verdict.Throttled {
		s.throttled.Add(1)
	}
	if verdict.Fault {
		s.faults.Add(1)
	}
}

// TargetStats are the numbers of one Target since it was first seen, and its state now. A target that was idle for long while
// more than 10,000 others were called starts anew.
type TargetStats struct {
	Target    Target
	Calls     uint64 // RoundTrips
	Attempts  uint64 // requests handed to the base RoundTripper
	Retries   uint64 // attempts that were not their call's first
	Throttled uint64 // attempts that the service refused because there were too many
	Faults    uint64 // attempts that failed because the service, or the way to it, failed
	Refused   uint64 // calls that ended because the breaker, a limit, the signature's age or GetBody forbade the next attempt

	Limit   rate.Limit // attempts per second, the smaller of the configured and the learned rate; rate.Inf without either
	Waiting int        // calls in line for it

	Breaker gobreaker.State // of the endpoint
	OpenFor time.Duration   // how long the breaker will refuse every call; zero unless it is open
}

// Stats returns the numbers of every target that is remembered, in the order of their names. It is a snapshot, not consistent
// across targets, and costs a few microseconds for each.
func (t *Transport) Stats() []TargetStats {
	if t.cfg == nil {
		return nil
	}
	var all []TargetStats
	for _, target := range t.targets.all() {
		s := target.snapshot()
		if b := target.endpoint.breaker; b != nil {
			s.Breaker = gobreaker.State(b.state.Load())
			_, s.OpenFor = b.look()
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b TargetStats) int { return compareTargets(a.Target, b.Target) })
	return all
}

func (t *target) snapshot() TargetStats {
	s := TargetStats{
		Target: t.Target,
		Calls:  t.stats.calls.Load(), Attempts: t.stats.attempts.Load(), Retries: t.stats.retries.Load(),
		Throttled: t.stats.throttled.Load(), Faults: t.stats.faults.Load(), Refused: t.stats.refused.Load(),
	}
	s.Limit, s.Waiting = t.pacer.state()
	return s
}

func compareTargets(a, b Target) int {
	return cmp.Or(
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Account, b.Account),
	)
}
