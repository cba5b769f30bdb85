package redisquota

import (
	"context"
	"time"
)

const (
	resyncEvery = 300 * time.Millisecond // while somebody waits, and the rate may change
	renewEvery  = 700 * time.Millisecond // where it does not: what is in hand would be lost otherwise
	watchEvery  = 500 * time.Millisecond // while calls pass without a limit
	pauseAfter  = 50 * time.Millisecond  // an answer that gave nothing
	stockFor    = 0.4                    // seconds of the present use are kept in hand where tokens abound
	aheadFor    = 0.15                   // seconds of it are asked for beside what waits, where tokens are short
	lostAfter   = 500 * time.Millisecond // without Redis, this process has used what Redis does not know of
)

// inquiry is one exchange with Redis. There is at most one at a time for a target, and only while a call waits or passes.
type inquiry struct {
	question
	began time.Time
	timer *time.Timer // notices when it takes too long
	late  bool        // it took too long
}

// exchange begins an exchange if there is reason to; else it returns when there may be, zero for never.
func (l *limiter) exchange(now time.Time) (again time.Time) {
	if l.asking != nil {
		if !l.asking.late || now.Sub(l.asking.began) < probeHangs {
			return again
		}
		l.asking = nil // that one hangs
	}
	wanted, again := l.wants(now)
	if !wanted {
		return again
	}
	if !l.q.health.may(now) {
		if !l.solo.away {
			l.goSolo(now)
			return now
		}
		return now.Add(probeEvery)
	}
	in := &inquiry{question: l.question(now), began: now}
	l.asking = in
	l.notes = notes{}
	in.timer = time.AfterFunc(l.q.cfg.timeout, func() { l.tooLong(in) })
	go l.run(in)
	return again
}

// wants tells whether Redis should be asked now, or when.
func (l *limiter) wants(now time.Time) (bool, time.Time) {
	f := &l.fleet
	if l.notes.objects && f.phase != fixed {
		return true, now
	}
	if l.solo.away {
		return true, now // it is for health to say when
	}
	waiting := len(l.line.waiters)
	switch {
	case !f.current(now):
		return waiting > 0 || f.asked.IsZero(), now
	case f.phase == unlimited:
		return now.Sub(f.asked) >= watchEvery, f.asked.Add(watchEvery)
	case waiting == 0:
		stock := l.stock(now)
		return stock > 1 && l.lease.size() <= stock/2 && !now.Before(f.next), time.Time{}
	case l.lease.size() < waiting && l.lease.size() <= f.window/2 && !now.Before(f.next):
		return true, now
	}
	again := f.asked.Add(resyncEvery)
	if f.phase == fixed {
		again = f.asked.Add(renewEvery)
	}
	if l.lease.size() == 0 && f.next.Before(again) {
		again = f.next
	}
	return !now.Before(again), again
}

// stock is how many places should be in hand when nobody waits.
func (l *limiter) stock(now time.Time) int {
	return int(stockFor * float64(l.passed.lastSecond(now)))
}

func (l *limiter) question(now time.Time) question {
	l.lease.expire(now)
	f := &l.fleet
	q := question{
		limit: l.limit, weight: l.q.cfg.weight, objects: -1,
		throttled: l.notes.throttled, spent: l.notes.spent, accepted: l.accepted.lastSecond(now),
		known: f.remembers(now), knownSum: f.sum, lost: l.solo.lost(now),
	}
	if q.known {
		q.knownRate = f.learned()
	}
	if l.notes.objects {
		q.objects = f.cuts
	}
	q.held = l.lease.size()
	waiting := len(l.line.waiters)
	if waiting > 0 {
		q.need = max(0, waiting+int(aheadFor*float64(l.passed.lastSecond(now)))-q.held)
	}
	q.spare = max(0, l.stock(now)-max(0, q.held-waiting))
	return q
}

// run makes the round trip, and takes its answer over.
func (l *limiter) run(in *inquiry) {
	ctx, stop := context.WithTimeout(context.Background(), l.q.cfg.timeout)
	defer stop()
	a, err := ask(ctx, l.q.redis, l.key, l.q.id, in.question)
	in.timer.Stop()
	now := time.Now()
	switch {
	case err != nil:
		defer l.q.health.lost(err, now)() // the callers go on first
	case now.Sub(in.began) <= l.q.cfg.timeout:
		defer l.q.health.found(now)()
	default:
		l.q.health.answered()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking != in {
		return
	}
	l.asking = nil
	if err != nil {
		l.notes.throttled, l.notes.spent = l.notes.throttled+in.throttled, l.notes.spent+in.spent // it was not told
		l.goSolo(now)
	} else {
		l.hear(in, a, now) // also if it took too long: what it gives is still good
	}
	l.dispatch(now)
}

// tooLong lets the callers go on without the answer.
func (l *limiter) tooLong(in *inquiry) {
	l.mu.Lock()
	now := time.Now()
	late := l.asking == in
	if late {
		in.late = true
		l.goSolo(now)
		l.dispatch(now)
	}
	l.mu.Unlock()
	if late {
		l.q.health.lost(context.DeadlineExceeded, now)()
	}
}

// hear takes an answer over.
func (l *limiter) hear(in *inquiry, a answer, now time.Time) {
	flushed := l.fleet.epoch != 0 && a.epoch != l.fleet.epoch && in.known
	if flushed || a.cuts != l.fleet.cuts {
		l.notes.objects = false // that was about another rate
	}
	if flushed {
		l.lease.clear()
	}
	wasAway := l.solo.away
	l.fleet.hear(a, now)
	if a.rate == 0 {
		l.lease.clear()
	}
	l.lease.add(a.first, a.given)
	l.lease.settle(now, a.released, a.rate)
	switch {
	case a.hold:
		l.solo.hold(l.fleet.share(l.q.cfg.weight), now.Add(a.wait), l.lease.size(), now)
	default:
		l.solo.end(flushed)
	}
	l.fleet.next = now
	switch {
	case a.wait > 0 && a.phase == settling && a.wait > 2*pauseAfter:
		l.fleet.next = now.Add(a.wait / 2) // what was under way is answered by then
	case a.wait > 0:
		l.fleet.next = now.Add(a.wait + time.Millisecond)
	case a.given == 0 && !wasAway && in.need+in.spare > 0:
		l.fleet.next = now.Add(pauseAfter)
	}
}

// goSolo goes on without Redis.
func (l *limiter) goSolo(now time.Time) {
	l.solo.leave(&l.fleet, l.limit, l.q.cfg.weight, l.lease.size(), now)
}
