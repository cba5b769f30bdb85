package tencenthttp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// pacer lets the calls of one target pass one by one, at no more than its limit, ordered by when they began. Nobody holds a
// reservation: whoever is first in line gets the next token, so a change of the limit reaches all who wait at once. A call that
// could not be answered before its deadline is refused on arrival, and again when its turn comes too late; that spends nothing.
//
// A pacer without a limit lets everything pass. It may be used by any number of goroutines.
type pacer struct {
	limited bool         // fixed at the beginning
	learns  bool         // from throttles; fixed as well
	latency atomic.Int64 // see usualLatency

	mu     sync.Mutex
	bucket *bucket
	line   line
	timer  *time.Timer // runs dispatch when the first in line may get its token; runs only while someone waits
}

// turnRequest is what a pacer must know of a call that asks for its turn.
type turnRequest struct {
	ctx     context.Context
	cancel  <-chan struct{} // the request's Cancel; may be nil
	start   time.Time       // when the call began
	latest  time.Time       // when its answer would come too late; zero if never
	maxWait time.Duration   // how long it may stand in line; zero if without end
}

func newPacer(limit rate.Limit, burst int, learns bool) *pacer {
	p := &pacer{limited: limit != rate.Inf, learns: learns}
	if p.limited {
		p.bucket = newBucket(limit, burst)
	}
	return p
}

// wait returns nil when it is the call's turn, with a token spent. It returns a refusal if that would be too late. A call that was
// canceled meanwhile gets an empty refusal, with nothing spent.
func (p *pacer) wait(call turnRequest) *refusal {
	if !p.limited {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	if p.line.empty() && p.bucket.take(now) {
		p.mu.Unlock()
		return nil
	}
	w := newWaiter(call.start, p.latestTurn(call, now))
	if delay := p.bucket.until(p.line.ahead(call.start)+1, now); w.expired(now.Add(delay)) {
		p.mu.Unlock()
		return rateRefusal(delay)
	}
	p.line.join(w)
	p.dispatch(now)
	p.mu.Unlock()
	if r, called := w.wait(call.ctx, call.cancel, w.latest); called {
		return r
	}
	return p.leave(w, call)
}

// leave ends a wait that the call itself, or the time, has ended.
func (p *pacer) leave(w *waiter, call turnRequest) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.line.leave(w) {
		if r := <-w.turn; r != nil {
			return r
		}
		p.bucket.giveBack(now) // its turn came in the same moment
	}
	p.dispatch(now)
	if call.ctx.Err() == nil && w.expired(now) {
		return rateRefusal(p.bucket.until(p.line.ahead(call.start)+1, now))
	}
	return &refusal{reason: ReasonCanceled}
}

// latestTurn returns when the call's turn would be too late: its answer takes a moment too.
func (p *pacer) latestTurn(call turnRequest, now time.Time) time.Time {
	latest := call.latest
	if !latest.IsZero() {
		latest = latest.Add(-p.usualLatency())
	}
	if call.maxWait > 0 {
		if end := now.Add(call.maxWait); latest.IsZero() || end.Before(latest) {
			latest = end
		}
	}
	return latest
}

// dispatch hands out the tokens that are there, in order, and sets the timer for the next one. The caller holds the mutex.
func (p *pacer) dispatch(now time.Time) {
	for !p.line.empty() {
		if p.line.waiters[0].expired(now) {
			p.line.call(rateRefusal(p.bucket.until(1, now)))
			continue
		}
		if !p.bucket.take(now) {
			p.arm(p.bucket.until(1, now))
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

// spend takes a token without standing in line.
func (p *pacer) spend() {
	if !p.limited {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bucket.spend(time.Now())
}

// giveBack returns the token of a turn that led to no attempt.
func (p *pacer) giveBack() {
	if !p.limited {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.bucket.giveBack(now)
	p.dispatch(now)
}

// learn takes note of what came of an attempt, and how long that took.
func (p *pacer) learn(verdict Verdict, answered bool, latency time.Duration) {
	if answered && !verdict.Throttled { // a throttled answer comes back sooner than a real one
		usual := p.usualLatency()
		p.latency.Store(int64(max(latency, usual-(usual-latency)/8)))
	}
	if !p.limited || !p.learns || !verdict.Throttled {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bucket.drain(time.Now())
}

// usualLatency is how long an answered attempt may well take: as long as the last one, and little less than the slow ones before it.
// The last one alone would let every second call pass that is then answered just too late. Zero if there was none.
func (p *pacer) usualLatency() time.Duration { return time.Duration(p.latency.Load()) }

// idle tells whether a new pacer would behave as this one does.
func (p *pacer) idle(now time.Time) bool {
	if !p.limited {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line.empty() && p.bucket.full(now)
}

// state returns the limit now and how many stand in line.
func (p *pacer) state() (limit rate.Limit, waiting int) {
	if !p.limited {
		return rate.Inf, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bucket.limiter.Limit(), len(p.line.waiters)
}
