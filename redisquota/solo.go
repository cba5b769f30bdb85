package redisquota

import (
	"math"
	"time"
)

// solo is how a process goes on without Redis: at its last known share of the rate, evenly. It is guarded by its owner's mutex.
type solo struct {
	away  bool      // Redis does not answer
	since time.Time // for how long
	until time.Time // Redis is back, but everyone goes on like this until then
	late  bool      // Redis must be told that it was away

	share float64   // attempts per second; zero if without limit, since none is known
	burst float64   // attempts that may be made at once after a pause
	next  time.Time // when the next attempt is due if there is no pause
	cutAt time.Time // when the service objected last
	full  float64   // the share before it did; the share grows back to that, and beyond it if nothing was configured
	grown time.Time
}

const (
	soloCut    = 0.88
	soloGrace  = 300 * time.Millisecond
	soloGrowth = 0.02 // of the share, each second
	soloLeast  = 0.1  // per second
	stranger   = 0.1  // of a configured limit is what a process takes that has never reached Redis
)

// active tells whether turns are made here.
func (s *solo) active(now time.Time) bool { return s.away || now.Before(s.until) }

// lost tells whether this process has sent so much by itself that the others must be told.
func (s *solo) lost(now time.Time) bool {
	return s.late || s.away && now.Sub(s.since) > lostAfter
}

// leave begins to go on alone, with so many places in hand.
func (s *solo) leave(f *fleet, configured limit, weight, held int, now time.Time) {
	if s.away {
		return
	}
	if !s.active(now) {
		s.start(f, configured, weight, held, now)
	}
	s.away, s.since, s.until = true, now, time.Time{}
}

func (s *solo) start(f *fleet, configured limit, weight, held int, now time.Time) {
	part := float64(weight) / float64(max(1, f.sum))
	s.share, s.burst, s.cutAt = f.share(weight), 1, now
	spare := f.level
	switch {
	case configured.perSecond > 0 && f.asked.IsZero(): // nobody is known
		s.share, spare = configured.perSecond*stranger, 0
	case configured.perSecond > 0:
		s.burst = max(1, float64(configured.burst)*part)
		if now.Sub(f.asked) > f.ttl {
			spare = float64(configured.burst)
		}
	}
	s.full = math.Inf(1)
	if configured.perSecond > 0 {
		s.full = s.share
	}
	s.grown = now
	if s.share > 0 { // the places in hand are part of it, and so is what would have been given
		s.next = now.Add(seconds((float64(held+1) - min(max(0, spare)*part, s.burst)) / s.share))
	}
}

// hold goes on alone for a moment after Redis has come back, until all have noticed. Redis says at what share: it may not have
// heard of all the others yet, so that a smaller one that was known before counts more.
func (s *solo) hold(share float64, until time.Time, held int, now time.Time) {
	if !s.away && s.until.IsZero() {
		s.share, s.burst, s.next = share, 1, now
		if share > 0 {
			s.next = now.Add(seconds(float64(held+1) / share))
		}
	}
	s.share = min(s.share, share)
	s.full = s.share
	s.away, s.until, s.late = false, until, false
}

// end returns to the fleet.
func (s *solo) end(flushed bool) {
	s.away, s.until, s.late = false, time.Time{}, flushed
}

// take uses a turn if one is due, or returns when one is.
func (s *solo) take(now time.Time) (bool, time.Time) {
	if s.share == 0 {
		return true, now
	}
	s.grow(now)
	if oldest := now.Add(-seconds((s.burst - 1) / s.share)); s.next.Before(oldest) {
		s.next = oldest
	}
	if s.next.After(now) {
		return false, s.next
	}
	s.next = s.next.Add(seconds(1 / s.share))
	return true, s.next
}

// grow lets a share that was cut grow back.
func (s *solo) grow(now time.Time) {
	dt := min(1, now.Sub(s.grown).Seconds())
	s.grown = now
	if s.share < s.full && s.cutAt.After(s.since) {
		s.share = min(s.full, s.share*(1+soloGrowth*dt))
	}
}

// foresee returns when the turn of a call comes that has so many before it.
func (s *solo) foresee(ahead int, now time.Time) time.Time {
	if s.share == 0 {
		return now
	}
	return s.next.Add(seconds(float64(ahead) / s.share))
}

// object is a throttled attempt. Without a share, what the service has just taken is the first guess.
func (s *solo) object(began time.Time, accepted int, now time.Time) {
	if began.Before(s.cutAt) || now.Sub(s.cutAt) < soloGrace && s.share > 0 {
		return
	}
	if s.share == 0 {
		s.share, s.burst = math.Max(1, float64(accepted)), 1
	}
	s.share, s.cutAt = max(soloLeast, s.share*soloCut), now
	s.next = now.Add(seconds(1 / s.share))
}
