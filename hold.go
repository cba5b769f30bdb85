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

// wait stands in line until it is worth looking at the breaker again, or returns a refusal because that would be too late. Left is
// how long the breaker will refuse all calls, zero if that is unknown. Summoned says that the call has stood in line and was called.
func (h *hold) wait(call turnRequest, left time.Duration, events uint64) (summoned bool, r *refusal) {
	now := time.Now()
	w := newWaiter(call.start, earlier(call.latest, now.Add(call.maxWait)))
	h.mu.Lock()
	switch {
	case w.expired(now.Add(left)):
		h.mu.Unlock()
		return false, h.endpoint.refusal(left)
	case h.events != events:
		h.mu.Unlock()
		return false, nil
	}
	h.line.join(w)
	h.update(now, false)
	h.mu.Unlock()
	r, called := w.wait(call.ctx, call.cancel, now)
	if !called {
		r = h.leave(w, call)
	}
	return r == nil, r
}

// leave ends a wait that the call itself, or the time, has ended. If the breaker has closed meanwhile, the call may pass.
func (h *hold) leave(w *waiter, call turnRequest) *refusal {
	now := time.Now()
	h.mu.Lock()
	stood := h.line.leave(w)
	h.update(now, !stood) // if its turn came in the same moment, somebody else may have it
	h.mu.Unlock()
	if call.ctx.Err() != nil || !w.expired(now) {
		return &refusal{reason: ReasonCanceled}
	}
	if closed, left := h.endpoint.look(); !closed {
		return h.endpoint.refusal(left)
	}
	return nil
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
	r.limiter.SetLimitAt(now, rate.Limit(r.base*math.Exp2(math.Floor(now.Sub(r.start).Seconds()))))
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
