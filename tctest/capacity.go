package tctest

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// Capacity is how much the service behind the API can do, all actions together: a brownout is a small one. Calls within their
// quota are taken up first come, first served, one each 1/Rate seconds, and then take their latency. A call whose caller gave
// up keeps its place: a server learns of that too late. The zero Capacity is unlimited.
type Capacity struct {
	// Rate is in calls a second.
	Rate float64
	// MaxQueue is the longest wait that a call is let into; beyond it calls fail at once with InternalError. Zero: no bound.
	MaxQueue time.Duration
}

// SetCapacity sets the capacity. Calls that wait go on at the new rate at once.
func (a *API) SetCapacity(c Capacity) {
	if !(c.Rate >= 0) || math.IsInf(c.Rate, 0) || c.MaxQueue < 0 {
		panic(fmt.Sprintf("tctest: SetCapacity(%+v): the rate must be finite and nothing negative", c))
	}
	b := &a.backend
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(time.Now())
	b.Capacity = c
	close(b.changed)
	b.changed = make(chan struct{})
}

// backend is the queue in front of the service. Call number n (from 0) is taken up when served reaches n.
type backend struct {
	mu sync.Mutex
	Capacity
	queued  float64       // calls that ever joined
	served  float64       // how far the service has come, in calls
	last    time.Time     // when served was right
	changed chan struct{} // closed when the capacity changes
}

func (b *backend) init() { b.changed = make(chan struct{}) }

// advance brings served up to now. An idle service does not work ahead.
func (b *backend) advance(now time.Time) {
	if b.Rate == 0 {
		b.served = b.queued
	} else {
		b.served = min(b.queued, b.served+b.Rate*now.Sub(b.last).Seconds())
	}
	b.last = now
}

// join gives the call its place, or refuses it.
func (b *backend) join(now time.Time) (place float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	if b.Rate > 0 && b.MaxQueue > 0 && b.wait(b.queued) > b.MaxQueue {
		return 0, false
	}
	place = b.queued
	b.queued++
	return place, true
}

// wait returns how long a call at that place still waits at the present rate.
func (b *backend) wait(place float64) time.Duration {
	if b.Rate == 0 || place-b.served < 1e-6 {
		return 0
	}
	return time.Duration(math.Ceil((place - b.served) / b.Rate * 1e9))
}

// remaining returns how long that is now, and a channel that is closed when the answer changes.
func (b *backend) remaining(place float64, now time.Time) (time.Duration, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	return b.wait(place), b.changed
}

// queue waits until the service takes the call up. It returns false if the call is shed, and an error if the caller gave up.
func (a *API) queue(c caller) (bool, error) {
	place, ok := a.backend.join(time.Now())
	if !ok {
		return false, nil
	}
	for {
		now := time.Now()
		a.schedule.run(now)
		d, changed := a.backend.remaining(place, now)
		if d == 0 {
			return true, nil
		}
		if due, ok := a.schedule.next(); ok {
			d = min(d, max(due.Sub(now), 1))
		}
		if err := c.wait(d, changed); err != nil {
			return false, err
		}
	}
}
