package tencenthttp

import (
	"context"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// Hooks are functions that are told what a Transport does. Each may be nil. They are called on the goroutine of the call that
// the news is about, with the caller's context or what Start and Send made of it, one after the other; no lock is held meanwhile,
// so they may call Stats or start calls of their own, but the call waits for them. They may be called for several calls at once.
type Hooks struct {
	// Install is called once, by NewTransport at its end, with the Transport that the hooks belong to: to ask it for its Stats later.
	Install func(*Transport)
	// Start is called when a call begins. The call goes on with the context that it returns, which must come from the one given.
	Start func(context.Context, StartInfo) context.Context
	// Send is called before each attempt. The attempt goes on with the context that it returns, which must come from the one given:
	// the base RoundTripper finds it in the request, and Attempt is called with it.
	Send func(context.Context, SendInfo) context.Context
	// Attempt is called after each attempt has been judged.
	Attempt func(context.Context, AttemptInfo)
	// Retry is called when another attempt was decided on, before the wait for it.
	Retry func(context.Context, RetryInfo)
	// Refusal is called when an attempt that was wanted is not made: the breaker, a rate limit, the signature's age, the Signer or GetBody forbids it.
	Refusal func(context.Context, RefusalInfo)
	// BreakerChange is called when an endpoint's breaker changed its state.
	BreakerChange func(context.Context, BreakerChangeInfo)
	// RateChange is called when the rate that is learned for a target changed but by growth: it was cut or forgotten, or the service is
	// well again.
	RateChange func(context.Context, RateChangeInfo)
	// ClockSkew is called when an answer has shown that the service's clock differs from ours, and the call is signed again.
	ClockSkew func(context.Context, ClockSkewInfo)
	// Done is called once at the end of every call, but for one that panics.
	Done func(context.Context, DoneInfo)
}

// StartInfo is a call that begins.
type StartInfo struct {
	Target Target
	Method string // of the HTTP request
}

// SendInfo is an attempt that begins.
type SendInfo struct {
	Target  Target
	Host    string // where it goes: another than the Target's after a failover
	Method  string // of the HTTP request
	Attempt int    // counted from 1
	Waits   Waits  // since the call began, or since its last attempt
}

// AttemptInfo is what came of one attempt.
type AttemptInfo struct {
	Target     Target
	Host       string        // where it went: another than the Target's after a failover
	Attempt    int           // counted from 1
	Verdict    Verdict       // what the classifier made of it
	StatusCode int           // 0 if there was no response
	Code       string        // the API's error code, if there was one
	RequestID  string        // the envelope's, if there was one
	Err        error         // why there was no response
	Latency    time.Duration // from handing the request to the base RoundTripper to the end of the look at the answer
	Waits      Waits         // before it: since the call began, or since its last attempt
}

// RetryInfo is why and when a call is sent again.
type RetryInfo struct {
	AttemptInfo               // the attempt that failed
	Delay       time.Duration // until the next attempt asks for its turn
}

// RefusalInfo is why an attempt was not made.
type RefusalInfo struct {
	Target     Target
	Attempt    int           // the number that the attempt would have had
	Reason     Reason        // breaker open, rate limited, signature too old or body not replayable
	RetryAfter time.Duration // how long the refusal would have lasted; zero if unknown
	Code       string        // the last answer's, which the caller now gets; empty if there is none
	RequestID  string
}

// BreakerChangeInfo is a breaker's change of state.
type BreakerChangeInfo struct {
	Host     string
	Region   string
	From, To gobreaker.State
	OpenFor  time.Duration // how long it will refuse every call, if To is open; else zero
}

// RateChangeInfo is a change of the rate that is learned for a target.
type RateChangeInfo struct {
	Target   Target
	From, To rate.Limit // in attempts per second; rate.Inf: none
	Cause    RateCause
}

// ClockSkewInfo is how far a service's clock is from ours.
type ClockSkewInfo struct {
	Target Target        // of the call that found it
	Host   string        // whose clock it is
	Offset time.Duration // how far it is ahead of ours; negative if it is behind
}

// DoneInfo is how a call ended.
type DoneInfo struct {
	Target     Target
	Attempts   int
	Reason     Reason
	StatusCode int    // 0 if the caller got an error
	Code       string // the last envelope's
	RequestID  string
	Refused    bool          // whether the next attempt was forbidden, of which Refusal was told
	RetryAfter time.Duration // how long the refusal would have lasted; zero if unknown, or if there was none
	Waits      Waits         // of the whole call
	Err        error         // what the caller got
	Elapsed    time.Duration // from RoundTrip's begin to its return; the caller has yet to read the body
}

// hookList calls the hooks of every WithHooks and WithLogger, in their order.
type hookList []Hooks

func (l hookList) attempt(ctx context.Context, info AttemptInfo) {
	for _, h := range l {
		if h.Attempt != nil {
			h.Attempt(ctx, info)
		}
	}
}

func (l hookList) retry(ctx context.Context, info RetryInfo) {
	for _, h := range l {
		if h.Retry != nil {
			h.Retry(ctx, info)
		}
	}
}

func (l hookList) refusal(ctx context.Context, info RefusalInfo) {
	for _, h := range l {
		if h.Refusal != nil {
			h.Refusal(ctx, info)
		}
	}
}

func (l hookList) breakerChange(ctx context.Context, info BreakerChangeInfo) {
	for _, h := range l {
		if h.BreakerChange != nil {
			h.BreakerChange(ctx, info)
		}
	}
}

func (l hookList) rateChange(ctx context.Context, info RateChangeInfo) {
	for _, h := range l {
		if h.RateChange != nil {
			h.RateChange(ctx, info)
		}
	}
}

func (l hookList) clockSkew(ctx context.Context, info ClockSkewInfo) {
	for _, h := range l {
		if h.ClockSkew != nil {
			h.ClockSkew(ctx, info)
		}
	}
}

func (l hookList) done(ctx context.Context, info DoneInfo) {
	for _, h := range l {
		if h.Done != nil {
			h.Done(ctx, info)
		}
	}
}
