package tencenthttp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// pacer lets the calls of one target pass one by one, at no more than its limits, ordered by when they began. Nobody holds a
// reservation: whoever is first in line gets the next token, so a change of the rate reaches all who wait at once. A call that
// could not be answered before its deadline is refused on arrival, and again when its turn comes too late; that spends nothing.
//
// A limit may be configured; others are learned from what the service throttles, and from how it fares. A pacer without any lets
// everything pass. It may be used by any number of goroutines.
type pacer struct {
	learns  bool         // from throttles, faults and slow answers; fixed at the beginning
	tells   bool         // whether anybody wants to know of changes; fixed as well
	limited atomic.Bool  // whether there is any limit
	flying  atomic.Int64 // attempts that have their turn, and no outcome yet
	latency atomic.Int64 // see usualLatency
	pulse   pulse
	meter   meter
	changed atomic.Bool // whether changes has any

	mu       sync.Mutex
	ceiling  *bucket // nil if none is configured
	paced    *bucket // at the rate that was learned; nil if none was
	learned  learnedRate
	health   brownout
	waited   time.Time        // when somebody last had to wait for the rate that was learned
	pressing bool             // whether that is what the first in line waits for
	changes  []RateChangeInfo // that no hook was told yet
	line     line
	timer    *time.Timer // runs dispatch when the first in line may get its token; runs only while someone waits
}

// turnRequest is what a pacer must know of a call that asks for its turn.
type turnRequest struct {
	ctx     context.Context
	cancel  <-chan struct{} // the request's Cancel; may be nil
	opened  <-chan struct{} // closed when the endpoint's breaker opens; may be nil
	start   time.Time       // when the call began
	latest  time.Time       // when its answer would come too late; zero if never
	maxWait time.Duration   // how long it may stand in line; zero if without end
	closed  time.Time       // when the endpoint's breaker last closed; zero if never
}

func newPacer(limit rateLimit, learns, tells bool, now time.Time) *pacer {
	p := &pacer{learns: learns, tells: tells, meter: meter{epoch: now}}
	if limit.limit != rate.Inf {
		p.ceiling = newBucket(limit.limit, limit.burst)
		p.limited.Store(true)
	}
	return p
}

// pass gives a turn at once if nothing limits them.
func (p *pacer) pass() bool {
	if p.limited.Load() {
		return false
	}
	p.flying.Add(1)
	return true
}

// wait returns nil when it is the call's turn, with a token spent. It returns a refusal if that would be too late. A call that was
// canceled meanwhile gets an empty refusal, and one whose breaker has opened breakerOpened, both with nothing spent.
func (p *pacer) wait(call turnRequest) *refusal {
	p.mu.Lock()
	now := time.Now()
	p.adapt(now)
	if before := p.rate(); p.health.heal(call.closed, now) {
		p.apply(now)
		p.tell(RateRecovered, before)
	}
	if p.line.empty() && p.take(now) {
		p.mu.Unlock()
		return nil
	}
	p.health.waited = now
	w := newWaiter(call.start, p.latestTurn(call, now))
	delay := p.foresee(p.line.ahead(call.start)+1, now)
	if w.expired(now.Add(delay)) || call.maxWait > 0 && delay > p.shortened(call.maxWait) {
		p.mu.Unlock()
		return rateRefusal(delay)
	}
	p.line.join(w)
	p.dispatch(now)
	p.mu.Unlock()
	if r, called := w.wait(call, w.latest); called {
		return r
	}
	return p.leave(w, call)
}

// leave ends a wait that the call itself, the breaker, or the time has ended.
func (p *pacer) leave(w *waiter, call turnRequest) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.line.leave(w) {
		if r := <-w.turn; r != nil {
			return r
		}
		p.putBack(now) // its turn came in the same moment
	}
	p.dispatch(now)
	switch {
	case call.ctx.Err() != nil:
	case w.expired(now):
		return rateRefusal(p.foresee(p.line.ahead(call.start)+1, now))
	case isClosed(call.opened):
		return breakerOpened
	}
	return &refusal{reason: ReasonCanceled}
}

// breakerOpened tells a call that has stood in line to look at its breaker again.
var breakerOpened = &refusal{reason: ReasonBreakerOpen}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// latestTurn returns when the call's turn would be too late: its answer takes a moment too.
func (p *pacer) latestTurn(call turnRequest, now time.Time) time.Time {
	latest := call.latest
	if !latest.IsZero() {
		latest = latest.Add(-p.margin())
	}
	if call.maxWait > 0 {
		if end := now.Add(call.maxWait); latest.IsZero() || end.Before(latest) {
			latest = end
		}
	}
	return latest
}

// dispatch hands out the turns that may be had, in order, and sets the timer for the next one. The caller holds the mutex.
func (p *pacer) dispatch(now time.Time) {
	p.adapt(now)
	for !p.line.empty() {
		if p.line.waiters[0].expired(now) {
			p.line.call(rateRefusal(p.foresee(1, now)))
			continue
		}
		if !p.take(now) {
			p.arm(p.until(now))
			return
		}
		p.line.call(nil)
	}
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (p *pacer) arm(delay time.Duration) {
	if p.timer == nil {
		p.timer = time.AfterFunc(delay, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.dispatch(time.Now())
		})
		return
	}
	p.timer.Reset(delay)
}

// usualLatency is how long an answered attempt may well take: as long as the last one, and little less than the slow ones before it.
// The last one alone would let every second call pass that is then answered just too late. Zero if there was none.
func (p *pacer) usualLatency() time.Duration { return time.Duration(p.latency.Load()) }

// margin is how long before its deadline a call must get its turn to be answered in time: answers take a little longer or shorter.
func (p *pacer) margin() time.Duration { return p.usualLatency() * 5 / 4 }

// idle tells whether a new pacer would behave as this one does.
func (p *pacer) idle(now time.Time) bool {
	if !p.limited.Load() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapt(now)
	return p.line.empty() && p.paced == nil && (p.ceiling == nil || p.ceiling.full(now))
}

// state returns the limit now and how many stand in line.
func (p *pacer) state() (limit rate.Limit, waiting int) {
	if !p.limited.Load() {
		return rate.Inf, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapt(time.Now())
	limit = limitOf(p.rate())
	if p.ceiling != nil {
		limit = min(limit, p.ceiling.limiter.Limit())
	}
	return limit, len(p.line.waiters)
}
