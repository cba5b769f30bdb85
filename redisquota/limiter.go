package redisquota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tencenthttp/tencenthttp"
)

// limiter is one target's line in this process, and the process's part in the fleet's. Callers get their turns in the order in
// which their calls began, with places that Redis has given or, while it is away, at the last known share.
type limiter struct {
	q     *Quota
	key   string
	limit limit

	mu     sync.Mutex
	line   line
	lease  lease
	fleet  fleet
	solo   solo
	asking *inquiry    // the exchange under way; nil if there is none
	timer  *time.Timer // runs tick when something is due; runs only while somebody waits

	passed   meter // turns
	accepted meter // answers that were no throttles
	usual    time.Duration
	notes    notes
}

// notes are what the next exchange tells.
type notes struct {
	throttled int
	spent     int  // turns that were taken without Redis
	objects   bool // the service has throttled what was sent at the present rate
}

var (
	_ tencenthttp.Limiter  = (*limiter)(nil)
	_ tencenthttp.Observer = (*limiter)(nil)
)

func newLimiter(q *Quota, target tencenthttp.Target) *limiter {
	return &limiter{q: q, key: keyOf(q.cfg.prefix, target), limit: q.cfg.limitFor(target)}
}

// waitError says that a turn would have come too late.
type waitError struct{ wait time.Duration }

func (e *waitError) Error() string {
	return fmt.Sprintf("redisquota: the turn would come in %v, too late", e.wait.Round(time.Millisecond))
}

// RetryAfter is how long the wait would have been.
func (e *waitError) RetryAfter() time.Duration { return e.wait }

// Wait implements tencenthttp.Limiter.
func (l *limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	now := time.Now()
	if len(l.line.waiters) == 0 {
		if ok, _ := l.turn(now); ok {
			l.passed.add(now)
			l.exchange(now)
			l.mu.Unlock()
			return nil
		}
	}
	w := &waiter{start: tencenthttp.CallStart(ctx), latest: l.latestTurn(ctx, now), turn: make(chan error, 1)}
	if w.start.IsZero() {
		w.start = now
	}
	if at := l.foresee(l.line.join(w), now); w.late(at) {
		l.line.leave(w)
		l.mu.Unlock()
		return &waitError{at.Sub(now)}
	}
	l.dispatch(now)
	l.mu.Unlock()
	return l.stand(ctx, w)
}

// stand waits in line.
func (l *limiter) stand(ctx context.Context, w *waiter) error {
	var late <-chan time.Time
	if !w.latest.IsZero() {
		timer := time.NewTimer(time.Until(w.latest) + 1) // at latest itself it is not too late
		defer timer.Stop()
		late = timer.C
	}
	select {
	case err := <-w.turn:
		return err
	case <-ctx.Done():
	case <-late:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.line.leave(w) {
		if err := <-w.turn; err != nil {
			return err
		}
		l.lease.giveBack(now) // its turn came in the same moment
	}
	l.dispatch(now)
	if err := ctx.Err(); err != nil {
		return err
	}
	return &waitError{max(time.Microsecond, l.foresee(0, now).Sub(now))}
}

// latestTurn returns when a call's turn would come too late: its answer takes a moment too.
func (l *limiter) latestTurn(ctx context.Context, now time.Time) time.Time {
	latest, ok := ctx.Deadline()
	if ok {
		latest = latest.Add(-l.usual)
	}
	if limit := l.q.cfg.maxWait; limit > 0 {
		if end := now.Add(limit); !ok || end.Before(latest) {
			latest = end
		}
	}
	return latest
}

// dispatch hands out the turns that there are, in order, asks for more if need be, and sets the timer for what comes next.
func (l *limiter) dispatch(now time.Time) {
	var next time.Time
	for len(l.line.waiters) > 0 {
		if l.line.waiters[0].late(now) {
			l.line.call(&waitError{max(time.Microsecond, l.foresee(0, now).Sub(now))})
			continue
		}
		var ok bool
		if ok, next = l.turn(now); !ok {
			break
		}
		l.passed.add(now)
		l.line.call(nil)
	}
	again := l.exchange(now)
	if len(l.line.waiters) == 0 {
		if l.timer != nil {
			l.timer.Stop()
		}
		return
	}
	if next.IsZero() || !again.IsZero() && again.Before(next) {
		next = again
	}
	if !next.IsZero() {
		l.arm(max(50*time.Microsecond, next.Sub(now)))
	}
}

func (l *limiter) arm(delay time.Duration) {
	if l.timer != nil {
		l.timer.Reset(delay)
		return
	}
	l.timer = time.AfterFunc(delay, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.dispatch(time.Now())
	})
}

// turn spends a place if there is one to be used now; else it returns when there will be, or zero if only Redis knows.
func (l *limiter) turn(now time.Time) (ok bool, next time.Time) {
	if l.lease.take(now) {
		return true, next
	}
	if l.lease.size() > 0 {
		return false, l.lease.places[0].due
	}
	switch {
	case l.solo.active(now):
		ok, next := l.solo.take(now)
		if ok && l.solo.away { // while everyone holds, Redis counts nothing
			l.notes.spent++
		}
		return ok, next
	case !l.fleet.current(now):
		return false, next
	case l.fleet.phase == unlimited:
		return !l.notes.objects && (l.asking == nil || l.asking.objects < 0), next
	}
	return false, next
}

// Observe implements tencenthttp.Observer.
func (l *limiter) Observe(_ context.Context, info tencenthttp.AttemptInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case info.Verdict.Throttled:
		l.object(now.Add(-info.Latency), now)
	case info.StatusCode > 0: // answered; a throttle comes back sooner than that
		l.usual = max(info.Latency, l.usual-(l.usual-info.Latency)/8)
		if !info.Verdict.Fault {
			l.accepted.add(now)
		}
	}
}

// object notes that the service has throttled an attempt that began at that time.
func (l *limiter) object(began, now time.Time) {
	l.notes.throttled++
	if l.solo.active(now) {
		l.solo.object(began, l.accepted.lastSecond(now), now)
		return
	}
	if began.Before(l.fleet.cutAt) { // it was sent at a rate that is no longer
		return
	}
	l.notes.objects = true
	if l.fleet.phase != fixed {
		l.dispatch(now)
	}
}
