package tencenthttp

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// hold is the line of the calls that wait for an open breaker, with BreakerSettings.HoldFor. The first ones become the probes.
// When the breaker closes, the others follow in order and at a growing pace: all at once they would be the next outage.
type hold struct {
	endpoint *endpoint

	mu     sync.Mutex
	events uint64 // counts what may have changed the chances of those in line
	line   line
	ramp   ramp
	timer  *time.Timer // announces that the breaker's time is over, or the ramp's next step; runs only while someone waits
}

// seen returns the events so far, and whether anyone stands in line. A caller asks before it looks at the breaker, so that it
// does not wait for news that has already come.
func (h *hold) seen() (events uint64, waiting bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events, !h.line.empty()
}

// outlook is what a call has seen before it asks to stand in line: whether the breaker is closed, or else how long it will refuse
// all calls, zero if that is unknown.
type outlook struct {
	closed bool
	left   time.Duration
	events uint64
}

// wait stands in line until it is worth looking at the breaker again, or returns a refusal because that would be too late.
// Summoned says that the call has stood in line and was called.
func (h *hold) wait(call turnRequest, view outlook) (summoned bool, r *refusal) {
	h.mu.Lock()
	now := time.Now()
	w := newWaiter(call.start, earlier(call.latest, now.Add(call.maxWait)))
	switch {
	case h.events != view.events:
		h.mu.Unlock()
		return false, nil
	case !view.closed && w.expired(now.Add(view.left)):
		h.mu.Unlock()
		return false, h.endpoint.refusal(view.left)
	}
	h.line.join(w)
	h.endpoint.breaker.awaited.Store(true)
	h.update(now, view.left > 0) // if that time is over by now, nobody else may be there to try
	h.mu.Unlock()
	// HoldFor bounds the wait for the breaker to close. The way back from there is as long as it is, or else all whose time is
	// over would come at once.
	bound := w.latest
	if view.closed {
		bound = call.latest
	}
	for ; ; bound = call.latest {
		r, over := w.wait(call, bound)
		if !over {
			r, over = h.leave(w, call, bound)
		}
		if over {
			return r == nil, r
		}
	}
}

// leave ends a wait that the call itself, or the time, has ended. It returns false if the call may stay, for the breaker has closed.
func (h *hold) leave(w *waiter, call turnRequest, bound time.Time) (r *refusal, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	canceled := call.ctx.Err() != nil || bound.IsZero() || !now.After(bound)
	closed, left := h.endpoint.look()
	if !canceled && closed && !bound.Equal(call.latest) {
		return nil, false
	}
	stood := h.line.leave(w)
	if !stood && !canceled {
		return <-w.turn, true // its turn came in the same moment
	}
	h.update(now, !stood) // somebody else may have the turn of one who was canceled
	switch {
	case canceled:
		return &refusal{reason: ReasonCanceled}, true
	case closed:
		return rateRefusal(h.ramp.next(now)), true
	}
	return h.endpoint.refusal(left), true
}

// notify lets those in line know that something has changed: the breaker's state, a probe's outcome, or that a caller who was
// called has given up.
func (h *hold) notify() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events++
	h.update(time.Now(), true)
}

// update calls whoever has a chance now, and sets the timer for when the next one has. While a probe is under way there is no
// chance without news of it. The caller holds the mutex.
func (h *hold) update(now time.Time, news bool) {
	switch closed, left := h.endpoint.look(); {
	case closed:
		for !h.line.empty() && h.ramp.take(h.endpoint, now) {
			h.line.call(nil)
		}
		h.arm(h.ramp.next(now))
	case left > 0:
		h.ramp = ramp{}
		h.refuseHopeless(now.Add(left), left)
		h.arm(left)
	case news:
		for n := h.endpoint.breaker.settings.Probes; n > 0 && !h.line.empty(); n-- {
			h.line.call(nil)
		}
	}
	if h.line.empty() {
		h.endpoint.breaker.awaited.Store(false)
		h.ramp = ramp{}
		if h.timer != nil {
			h.timer.Stop()
		}
	}
}

// refuseHopeless refuses those who cannot wait until the breaker's next try.
func (h *hold) refuseHopeless(next time.Time, left time.Duration) {
	kept := h.line.waiters[:0]
	for _, w := range h.line.waiters {
		if w.expired(next) {
			w.turn <- h.endpoint.refusal(left)
		} else {
			kept = append(kept, w)
		}
	}
	clear(h.line.waiters[len(kept):])
	h.line.waiters = kept
}

func (h *hold) arm(delay time.Duration) {
	switch {
	case h.line.empty():
	case h.timer == nil:
		h.timer = time.AfterFunc(delay, h.notify)
	default:
		h.timer.Reset(delay)
	}
}

// minRampRate is the least pace at which calls come back, in calls per second: an endpoint that hardly anyone called before its
// outage can bear as much.
const minRampRate = 10

// ramp is the pace at which calls that waited come back after an outage: half of the rate before it, and twice as fast with every
// second. The zero ramp has not begun.
type ramp struct {
	limiter *rate.Limiter
	base    float64 // per second
	start   time.Time
}

func (r *ramp) take(e *endpoint, now time.Time) bool {
	if r.limiter == nil {
		r.base = max(minRampRate, e.breaker.rateBefore()/2)
		r.start = now
		r.limiter = rate.NewLimiter(rate.Limit(r.base), 1)
	}
	r.limiter.SetLimitAt(now, rate.Limit(r.base*math.Exp2(now.Sub(r.start).Seconds())))
	return r.limiter.AllowN(now, 1)
}

// next returns how long it takes until take can be true.
func (r *ramp) next(now time.Time) time.Duration {
	if r.limiter == nil {
		return 0
	}
	missing := (1 - r.limiter.TokensAt(now)) / float64(r.limiter.Limit())
	return max(time.Microsecond, time.Duration(missing*float64(time.Second)))
}

// earlier returns the earlier of two times, of which a zero one means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
