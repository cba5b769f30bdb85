package tencenthttp

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// BreakerSettings configures the circuit breakers; each endpoint (host and region) has one of its own. Zero fields mean the defaults.
//
// While a breaker is closed, it counts the attempts of the last Window: faults against it, answers for it, everything else not at
// all. When it opens, calls are refused with ErrBreakerOpen for OpenFor. Then it is half-open and lets Probes calls through. If
// they all succeed it closes; a fault opens it again.
type BreakerSettings struct {
	// FailureRatio opens the breaker: faults divided by all that counts, above 0 and at most 1. Default 0.5.
	FailureRatio float64
	// MinCalls is how many must count within Window before the breaker may open. Default 20.
	MinCalls uint32
	// Window is how far back attempts count; it moves on in tenths. Default 10 s.
	Window time.Duration
	// OpenFor is how long an open breaker refuses every call at most. Each time it is between half of that and all of it, by chance,
	// so that the probes of many processes come spread; where calls stand in line for it, little more than half. Default 5 s.
	OpenFor time.Duration
	// Probes is how many calls a half-open breaker lets through at a time, and how many must succeed in a row to close it. Default 1.
	Probes uint32
	// HoldFor is how long one call may wait, all its attempts together, for an open breaker's next probe and its success, rather
	// than being refused. Calls that cannot get there in time are refused at once. Default 0: none waits.
	HoldFor time.Duration
	// Rand draws the chance in OpenFor, a number in [0, 1). It may be called by several goroutines at once, and must not use the
	// Transport. Default math/rand/v2.Float64; another is of use where a run must be repeatable.
	Rand func() float64
}

func (s BreakerSettings) withDefaults() BreakerSettings {
	if s.FailureRatio == 0 {
		s.FailureRatio = 0.5
	}
	if s.MinCalls == 0 {
		s.MinCalls = 20
	}
	if s.Window == 0 {
		s.Window = 10 * time.Second
	}
	if s.OpenFor == 0 {
		s.OpenFor = 5 * time.Second
	}
	if s.Probes == 0 {
		s.Probes = 1
	}
	if s.Rand == nil {
		s.Rand = rand.Float64
	}
	return s
}

// What a breaker is told of an attempt; nil is a sign of health.
var (
	errFault   = errors.New("fault")
	errNeutral = errors.New("neutral")
)

// breaker is a gobreaker with what it does not tell: how long it stays open, and its changes of state to somebody who may take
// his time, for its own callbacks run under its lock.
type breaker struct {
	settings BreakerSettings
	gate     *gobreaker.TwoStepCircuitBreaker[struct{}]
	callRate func(time.Time) float64 // of the endpoint, in calls per second
	state    atomic.Int32            // gobreaker.State
	hung     atomic.Int32            // probes in a row that took too long
	awaited  atomic.Bool             // whether calls stand in line for it

	mu        sync.Mutex // taken under gobreaker's lock, so gobreaker must not be called while it is held
	openUntil time.Time
	opened    chan struct{}       // closed while the breaker is not
	closedAt  time.Time           // when it last closed; zero if it never did
	before    float64             // calls per second when it opened
	changes   []BreakerChangeInfo // that no hook was told yet
	changed   atomic.Bool         // whether there are any
}

func newBreaker(settings BreakerSettings, callRate func(time.Time) float64) *breaker {
	b := &breaker{settings: settings, callRate: callRate, opened: make(chan struct{})}
	b.gate = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   settings.Probes,
		Interval:      settings.Window,
		BucketPeriod:  max(1, settings.Window/10),
		Timeout:       max(1, settings.OpenFor/2),
		ReadyToTrip:   b.readyToTrip,
		OnStateChange: b.onStateChange,
		IsExcluded:    func(err error) bool { return err == errNeutral },
	})
	return b
}

// readyToTrip leaves Counts.Requests alone: that counts calls which have no outcome yet, and excluded ones.
func (b *breaker) readyToTrip(counts gobreaker.Counts) bool {
	judged := counts.TotalSuccesses + counts.TotalFailures
	return judged >= b.settings.MinCalls && float64(counts.TotalFailures) >= b.settings.FailureRatio*float64(judged)
}

func (b *breaker) onStateChange(_ string, from, to gobreaker.State) {
	change := BreakerChangeInfo{From: from, To: to}
	b.mu.Lock()
	defer b.mu.Unlock()
	if to == gobreaker.StateOpen {
		now := time.Now()
		change.OpenFor = b.openFor()
		// gobreaker is still open at the very moment that its time is over.
		b.openUntil = now.Add(change.OpenFor + 1)
		if from == gobreaker.StateClosed {
			b.before = b.callRate(now)
		}
	}
	b.changes = append(b.changes, change)
	b.changed.Store(true)
	b.state.Store(int32(to))
	switch {
	case from == gobreaker.StateClosed:
		close(b.opened) // who is woken by it sees the new state
	case to == gobreaker.StateClosed:
		b.opened = make(chan struct{})
		b.closedAt = time.Now()
		b.hung.Store(0)
	}
}

// openFor draws how long the breaker stays open this time.
func (b *breaker) openFor() time.Duration {
	least := b.settings.OpenFor / 2
	spread := least
	if b.awaited.Load() {
		spread = least / 4
	}
	return least + time.Duration(b.settings.Rand()*float64(spread))
}

// look tells whether calls may pass, or else how long they may not; false and 0 mean that somebody may ask to be a probe.
func (b *breaker) look() (closed bool, left time.Duration) {
	if gobreaker.State(b.state.Load()) == gobreaker.StateClosed {
		return true, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if gobreaker.State(b.state.Load()) == gobreaker.StateOpen {
		return false, max(0, time.Until(b.openUntil))
	}
	return false, 0
}

// news returns a channel that is closed when the breaker opens, and when it last closed.
func (b *breaker) news() (opened <-chan struct{}, closed time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened, b.closedAt
}

// rateBefore returns the endpoint's calls per second when the breaker opened.
func (b *breaker) rateBefore() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.before
}

// takeChanges returns the changes of state since it was last asked.
func (b *breaker) takeChanges() []BreakerChangeInfo {
	if !b.changed.Load() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	changes := b.changes
	b.changes = nil
	b.changed.Store(false)
	return changes
}

// outcomeOf says what a verdict means for the endpoint's health.
func outcomeOf(verdict Verdict, answered bool) error {
	switch {
	case verdict.Fault:
		return errFault
	case verdict.Throttled, !answered:
		return errNeutral
	}
	return nil
}
