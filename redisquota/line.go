package redisquota

import (
	"cmp"
	"slices"
	"time"
)

// line is the calls of this process that wait for a target, ordered by when they began: a retry takes the place that its call
// had. It is guarded by its owner's mutex.
type line struct {
	waiters []*waiter
	arrived uint64
}

// waiter is one call's place.
type waiter struct {
	start   time.Time // when the call began
	latest  time.Time // when its turn would come too late; zero if never
	arrival uint64    // orders calls that began at the same moment
	turn    chan error
}

func compareWaiters(a, b *waiter) int {
	return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.arrival, b.arrival))
}

// join puts w in and returns how many stand before it.
func (l *line) join(w *waiter) int {
	l.arrived++
	w.arrival = l.arrived
	at, _ := slices.BinarySearchFunc(l.waiters, w, compareWaiters)
	l.waiters = slices.Insert(l.waiters, at, w)
	return at
}

// leave takes w out and returns whether it was there still: if not, its turn has come.
func (l *line) leave(w *waiter) bool {
	at, found := slices.BinarySearchFunc(l.waiters, w, compareWaiters)
	if found {
		l.waiters = slices.Delete(l.waiters, at, at+1)
	}
	return found
}

// call takes the head out and tells it that its turn has come, or why it never will.
func (l *line) call(err error) {
	head := l.waiters[0]
	l.waiters[0] = nil
	l.waiters = l.waiters[1:]
	head.turn <- err
}

// late tells whether w's turn would be too late at that time.
func (w *waiter) late(at time.Time) bool { return !w.latest.IsZero() && at.After(w.latest) }
