package status

import (
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	// step is what one count spans.
	step = 10 * time.Second
	// steps is how many are kept: ten minutes.
	steps = 60
)

// counts is what happened within one step.
type counts struct {
	succeeded, throttled, faults, failed uint32 // attempts
	refused                              uint32
	waited                               float32 // seconds, of all calls together
	limit                                float32 // attempts per second; noLimit without
}

func (c *counts) attempts() uint32 { return c.succeeded + c.throttled + c.faults + c.failed }

// trouble is what somebody might look for.
func (c *counts) trouble() uint32 { return c.throttled + c.faults + c.failed + c.refused }

// series is the last ten minutes, as a ring.
type series struct {
	ring   [steps]counts
	newest int64 // the number of the newest step; 0 before the first
	limit  float32
}

func number(now time.Time) int64 { return now.UnixNano() / int64(step) }

// advance makes the newest step the one of now.
func (s *series) advance(now time.Time) {
	n := number(now)
	if s.newest == 0 || n-s.newest >= steps {
		s.newest = n - steps
	}
	for s.newest < n { // and never back: between two looks at the clock others may have been faster
		s.newest++
		s.ring[s.newest%steps] = counts{limit: s.limit}
	}
}

// at returns the counts of now.
func (s *series) at(now time.Time) *counts {
	s.advance(now)
	return &s.ring[s.newest%steps]
}

// waited adds a wait that ended at some time to the steps that it took up. The series has been advanced to then, or beyond.
func (s *series) waited(wait time.Duration, end time.Time) {
	for n := number(end); wait > 0 && n > s.newest-steps; n-- {
		begin := time.Unix(0, n*int64(step))
		part := min(wait, end.Sub(begin))
		s.ring[n%steps].waited += float32(part.Seconds())
		wait -= part
		end = begin
	}
}

// setLimit notes a limit that holds from now on. The series has been advanced.
func (s *series) setLimit(limit rate.Limit) {
	s.limit = limitOf(limit)
	s.ring[s.newest%steps].limit = s.limit
}

// last returns the steps up to now, the oldest first.
func (s *series) last(now time.Time) []counts {
	s.advance(now)
	first := (s.newest + 1) % steps
	return append(slices.Clone(s.ring[first:]), s.ring[:first]...)
}

// sum adds up the last ten minutes, without moving them on: that would cost more than the sum.
func (s *series) sum(now time.Time) (attempts, trouble uint64) {
	if number(now)-s.newest >= steps {
		return 0, 0
	}
	for i := range s.ring {
		attempts += uint64(s.ring[i].attempts())
		trouble += uint64(s.ring[i].trouble())
	}
	return attempts, trouble
}

// nth returns the n-th smallest.
func nth(values []int64, n int) int64 {
	slices.Sort(values)
	return values[n]
}
