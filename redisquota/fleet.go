package redisquota

import "time"

// fleet is what this process knows of the fleet: Redis's last answer, and how old it is. The zero fleet knows nothing.
type fleet struct {
	answer
	asked time.Time // when it was heard from last; zero if never
	cutAt time.Time // when this process heard of the last cut
	next  time.Time // not to be asked before, unless there is something to tell

	// What this process got of all that was given, over a second or so: more than its weight would give it where others want less.
	part   float64
	basis  time.Time
	before int64 // the last place given at the basis
	got    int
}

// current tells whether the answer can be relied on.
func (f *fleet) current(now time.Time) bool {
	return !f.asked.IsZero() && now.Sub(f.asked) <= leaseLife
}

// remembers tells whether Redis should know of the state still.
func (f *fleet) remembers(now time.Time) bool {
	return f.epoch != 0 && now.Sub(f.asked) < f.ttl
}

// learned returns the rate that the fleet has learned, zero if none.
func (f *fleet) learned() float64 {
	if f.phase == searching || f.phase == feeling {
		return f.rate
	}
	return 0
}

// share returns this process's part of the rate, by its weight; zero if there is no rate.
func (f *fleet) share(weight int) float64 {
	return f.rate * float64(weight) / float64(max(1, f.sum))
}

// hear takes an answer over.
func (f *fleet) hear(a answer, now time.Time) {
	if a.cuts != f.cuts || a.epoch != f.epoch {
		f.cutAt = now
	}
	last := a.first + int64(a.given) - 1
	if f.epoch != a.epoch || f.basis.IsZero() {
		f.part, f.basis, f.before, f.got = 0, now, last, 0
	}
	f.got += a.given
	if now.Sub(f.basis) >= time.Second {
		f.part = 0
		if all := last - f.before; all > 0 {
			f.part = min(1, float64(f.got)/float64(all))
		}
		f.basis, f.before, f.got = now, last, 0
	}
	f.answer, f.asked = a, now
}

// foresee returns when the turn of a call comes that has so many before it, judging by what is known.
func (l *limiter) foresee(ahead int, now time.Time) time.Time {
	if ahead < l.lease.size() {
		return l.lease.places[ahead].due
	}
	if l.solo.active(now) {
		return l.solo.foresee(ahead-l.lease.size(), now)
	}
	f := &l.fleet
	switch {
	case !f.current(now) || f.phase == unlimited || f.rate == 0 && f.phase != settling:
		return now
	case f.phase == settling:
		return f.asked.Add(f.wait)
	}
	from, ahead := now, ahead-l.lease.size()
	if n := l.lease.size(); n > 0 {
		from = l.lease.places[n-1].due
	} else if f.level < 0 {
		from = f.asked.Add(seconds(-f.level / f.rate))
	} else if ahead < int(f.level) {
		return now
	}
	rate := max(f.rate, f.ceiling) // while the rate climbs, by the last good one
	mine := max(float64(l.q.cfg.weight)/float64(max(1, f.sum)), f.part)
	return from.Add(seconds(float64(ahead+1) / (rate * mine)))
}
