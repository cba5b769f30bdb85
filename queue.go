package tencenthttp

import (
	"cmp"
	"slices"
	"time"
)

// line is the calls that stand and wait, ordered by when they began: a retry takes the place that its call had. It is guarded by
// its owner's mutex.
type line struct {
	waiters []*waiter
	arrived uint64
}

// waiter is one call's place in a line.
type waiter struct {
	start   time.Time // when the call began
	latest  time.Time // when its turn would come too late; zero if never
	arrival uint64    // orders calls that began at the same moment
	turn    chan *refusal
}

func newWaiter(start, latest time.Time) *waiter {
	return &waiter{start: start, latest: latest, turn: make(chan *refusal, 1)}
}

func compareWaiters(a, b *waiter) int {
	if order := a.start.Compare(b.start); order != 0 {
		return order
	}
	return cmp.Compare(a.arrival, b.arrival)
}

func (l *line) empty() bool { return len(l.waiters) == 0 }

// ahead returns how many stand before a call that began at start.
func (l *line) ahead(start time.Time) int {
	at, _ := slices.BinarySearchFunc(l.waiters, start, func(w *waiter, start time.Time) int {
		if w.start.After(start) {
			return 1
		}
		return -1
	})
	return at
}

func (l *line) join(w *waiter) {
	l.arrived++
	w.arrival = l.arrived
	l.waiters = slices.Insert(l.waiters, l.ahead(w.start), w)
}

// leave takes w out and returns whether it was there still: if not, its turn has come.
func (l *line) leave(w *waiter) bool {
	at, found := slices.BinarySearchFunc(l.waiters, w, compareWaiters)
	if found {
		l.waiters = slices.Delete(l.waiters, at, at+1)
	}
	return found
}

// call takes the head out and tells it that its turn has come, or with a refusal that it came too late.
func (l *line) call(r *refusal) {
	head := l.waiters[0]
	l.waiters[0] = nil
	l.waiters = l.waiters[1:]
	head.turn <- r
}

// expired tells whether w's turn would be too late at that time.
func (w *waiter) expired(at time.Time) bool { return !w.latest.IsZero() && at.After(w.latest) }

// wait blocks until w's turn, the caller's cancel, an opening breaker, or the moment after latest, unless that is zero. It returns
// true with what the turn said, or false if it did not come.
func (w *waiter) wait(call turnRequest, latest time.Time) (*refusal, bool) {
	var late <-chan time.Time
	if !latest.IsZero() {
		timer := time.NewTimer(time.Until(latest) + 1) // at latest itself it is not too late
		defer timer.Stop()
		late = timer.C
	}
	select {
	case r := <-w.turn:
		return r, true
	case <-call.ctx.Done():
	case <-call.cancel:
	case <-call.opened:
	case <-late:
	}
	return nil, false
}
