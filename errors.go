package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
)

var (
	// ErrBreakerOpen says that no attempt was made because the endpoint is known to be down. It also matches gobreaker.ErrOpenState.
	// CallError.RetryAfter says how long it will be refused.
	ErrBreakerOpen error = &refusalError{"breaker open", gobreaker.ErrOpenState}
	// ErrRateLimited says that no attempt was made because its turn would have come too late. CallError.RetryAfter says how long
	// the wait would have been.
	ErrRateLimited error = &refusalError{"rate limited", nil}
)

// refusalError is the type of the two sentinels. It is neither Timeout nor Temporary: the SDK would sleep on it and try again.
type refusalError struct {
	text    string
	matches error
}

func (e *refusalError) Error() string   { return "tencenthttp: " + e.text }
func (e *refusalError) Unwrap() error   { return e.matches }
func (e *refusalError) Timeout() bool   { return false }
func (e *refusalError) Temporary() bool { return false }

// Reason says why a call ended. Its text is meant for logs and metrics and is stable.
type Reason string

// The reasons, in the order in which they are looked at after an attempt; the last four may also end a call before one.
const (
	ReasonSuccess           Reason = "success"
	ReasonFatal             Reason = "fatal"               // sending the call again cannot help
	ReasonNotIdempotent     Reason = "not idempotent"      // the call may have run, and running it twice might do harm
	ReasonAttemptsUsedUp    Reason = "attempts used up"    // WithMaxAttempts
	ReasonElapsed           Reason = "elapsed"             // the next attempt would end after WithMaxElapsedTime
	ReasonDeadlineTooNear   Reason = "deadline too near"   // the next attempt would end after the caller's deadline
	ReasonBudgetEmpty       Reason = "budget empty"        // WithRetryBudget
	ReasonBodyNotReplayable Reason = "body not replayable" // the request has no GetBody and more than WithMaxReplay, or GetBody failed
	ReasonSignatureTooOld   Reason = "signature too old"   // more than 270 s since X-TC-Timestamp
	ReasonBackOffStopped    Reason = "backoff stopped"     // the BackOff said Stop
	ReasonCanceled          Reason = "canceled"            // the caller gave up, or its deadline passed
	ReasonBreakerOpen       Reason = "breaker open"        // ErrBreakerOpen
	ReasonRateLimited       Reason = "rate limited"        // ErrRateLimited
	ReasonSigningFailed     Reason = "signing failed"      // the Signer, or its CredentialProvider, gave an error
)

// CallError is the error of every call that ends without a response. A call that the API answered, with whatever code, is no
// CallError: its last response is returned, with a nil error.
type CallError struct {
	// Target is who was called.
	Target Target
	// Attempts counts the attempts that went to the base RoundTripper; 0 if the call was refused before the first.
	Attempts int
	// Reason says why there was no further attempt.
	Reason Reason
	// Code and RequestID are those of the last envelope seen, from an earlier attempt; empty if there was none.
	Code, RequestID string
	// RetryAfter is how long a refusal by the breaker or the rate limit would have lasted; else zero.
	RetryAfter time.Duration
	// Err is the cause.
	Err error
}

// Error describes the call without naming anything secret: no query, header or body.
func (e *CallError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tencenthttp: %v: ", e.Target)
	switch e.Attempts {
	case 0:
		b.WriteString("not sent")
	case 1:
		b.WriteString("not sent again after 1 attempt")
	default:
		fmt.Fprintf(&b, "not sent again after %d attempts", e.Attempts)
	}
	fmt.Fprintf(&b, " (%s", e.Reason)
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " for another %v", e.RetryAfter.Round(time.Millisecond))
	}
	b.WriteString(")")
	if e.Code != "" {
		b.WriteString(", last answer " + e.Code)
		if e.RequestID != "" { // the older envelope has none
			b.WriteString(" (RequestId " + e.RequestID + ")")
		}
	}
	cause := strings.TrimPrefix(causeText(e.Err), string(e.Reason)+": ") // ErrRateLimited and what a Limiter said
	if cause != "" && cause != string(e.Reason) {
		b.WriteString(": " + cause)
	}
	return b.String()
}

// causeText leaves out our own prefix, and the URL that *url.Error shows with its query and so with a signature v1.
func causeText(err error) string {
	if err == nil {
		return ""
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return causeText(inner.Err)
	}
	return strings.TrimPrefix(err.Error(), "tencenthttp: ")
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// Timeout tells whether the cause is a timeout, as net.Error has it.
func (e *CallError) Timeout() bool {
	if e.Reason == ReasonCanceled { // whatever the last attempt failed of
		return errors.Is(e.Err, context.DeadlineExceeded)
	}
	cause, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.Err)
	return ok && cause.Timeout()
}

// Temporary tells whether the cause calls itself temporary, as net.Error has it.
func (e *CallError) Temporary() bool {
	cause, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](e.Err)
	return ok && cause.Temporary()
}

// refusal is a local decision not to make an attempt.
type refusal struct {
	reason     Reason
	retryAfter time.Duration
	err        error
}

func breakerRefusal(left time.Duration) *refusal {
	return &refusal{reason: ReasonBreakerOpen, retryAfter: left, err: ErrBreakerOpen}
}

func rateRefusal(wait time.Duration) *refusal {
	return &refusal{reason: ReasonRateLimited, retryAfter: wait, err: ErrRateLimited}
}

// attemptTimeoutError is the error of an attempt that WithAttemptTimeout ended. It is not context.DeadlineExceeded: that is the caller's.
type attemptTimeoutError struct{ after time.Duration }

func (e *attemptTimeoutError) Error() string {
	return fmt.Sprintf("tencenthttp: attempt timed out after %v", e.after)
}
func (e *attemptTimeoutError) Timeout() bool   { return true }
func (e *attemptTimeoutError) Temporary() bool { return true }

// unsentError marks the error of an attempt whose request provably never reached the service whole.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// cutOffError is the error of an answer that ended inside the part that is looked at.
type cutOffError struct{ error }

func (e *cutOffError) Error() string { return "answer cut off: " + e.error.Error() }
func (e *cutOffError) Unwrap() error { return e.error }

// cancelError is what the caller's context says, with the cause that was given to it.
func cancelError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil { // Request.Cancel was closed
		return context.Canceled
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
