package tctest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Latency says how long something takes this time. It may draw from rnd, which is seeded by WithSeed and the number of the
// request, and must not keep it. A nil Latency, and a result of zero or below, is no time at all.
type Latency func(rnd *rand.Rand) time.Duration

// Fixed returns a Latency that is always d.
func Fixed(d time.Duration) Latency { return func(*rand.Rand) time.Duration { return d } }

// Between returns a Latency drawn evenly from lo to hi. It panics if hi is below lo.
func Between(lo, hi time.Duration) Latency {
	if hi < lo {
		panic(fmt.Sprintf("tctest: Between(%v, %v): the second is below the first", lo, hi))
	}
	return func(rnd *rand.Rand) time.Duration { return lo + time.Duration(rnd.Int64N(int64(hi-lo)+1)) }
}

// SetLatency sets how long the service works on a call that it accepts; the default is no time. It applies to successes and to
// the failures of handlers and outages, not to throttled, shed, unauthenticated or scripted answers.
func (a *API) SetLatency(l Latency) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = l
}

// SetThrottledLatency sets how long it takes to answer a call that never reaches the service behind: throttled, shed, or met
// by HTTP 503. The default is no time.
func (a *API) SetThrottledLatency(l Latency) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.throttled = l
}

// SetNetworkDelay sets how long a request travels to the service, and, drawn again, its answer back. The default is no time.
func (a *API) SetNetworkDelay(l Latency) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.network = l
}

// caller is whoever waits for the answer, and may give up.
type caller struct {
	ctx    context.Context
	cancel <-chan struct{} // the request's deprecated Cancel, which the SDK's ReqTimeout still sets
}

// errCanceled has the words that net/http uses for a request whose Cancel channel was closed.
var errCanceled = errors.New("net/http: request canceled")

// gone returns why the caller gave up, nil if it has not.
func (c caller) gone() error {
	select {
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	case <-c.cancel:
		return errCanceled
	default:
		return nil
	}
}

// wait sleeps for d, or until the caller gives up or wake is closed. A negative d has no end.
func (c caller) wait(d time.Duration, wake <-chan struct{}) error {
	if d == 0 {
		return nil
	}
	var timeout <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-timeout:
		return nil
	case <-wake:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	case <-c.cancel:
		return errCanceled
	}
}
