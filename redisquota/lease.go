package redisquota

import (
	"slices"
	"time"
)

// leaseLife is how long what Redis has given may be used: after that it may have forgotten that it did.
const leaseLife = time.Second

// place is the right to one attempt.
type place struct {
	number int64     // in the fleet's line; 0 if it has none any more
	due    time.Time // not to be used before
	end    time.Time // nor after
}

// lease is the places that this process has in hand, in their order. It is guarded by its owner's mutex.
type lease struct{ places []place }

func (l *lease) size() int { return len(l.places) }

// expire drops what may no longer be used.
func (l *lease) expire(now time.Time) {
	l.places = slices.DeleteFunc(l.places, func(p place) bool { return now.After(p.end) })
}

// take uses the first place if it is due.
func (l *lease) take(now time.Time) bool {
	for len(l.places) > 0 && now.After(l.places[0].end) {
		l.places = l.places[1:]
	}
	if len(l.places) == 0 || l.places[0].due.After(now) {
		return false
	}
	l.places = l.places[1:]
	return true
}

// giveBack returns a place that was taken at that moment and is not used.
func (l *lease) giveBack(now time.Time) {
	l.places = append([]place{{due: now, end: now.Add(leaseLife)}}, l.places...)
}

// add takes n more places.
func (l *lease) add(first int64, n int) {
	for i := range int64(n) {
		l.places = append(l.places, place{number: first + i})
	}
}

// settle works out when the numbers in hand are due, if those up to released are due now, as Redis has just said.
func (l *lease) settle(now time.Time, released, perSecond float64) {
	for i := range l.places {
		if p := &l.places[i]; p.number > 0 {
			p.due = now.Add(seconds((float64(p.number) - released) / perSecond))
			p.end = now.Add(leaseLife)
		}
	}
}

// clear drops everything.
func (l *lease) clear() { l.places = nil }

// endless stands for a wait without a foreseeable end; it is far from overflowing a time.Duration.
const endless = 100 * 365 * 24 * time.Hour

func seconds(s float64) time.Duration {
	if !(s < endless.Seconds()) {
		return endless
	}
	return time.Duration(s * float64(time.Second))
}
