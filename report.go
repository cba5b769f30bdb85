package tencenthttp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Report is told what becomes of a call: each attempt, each wait, and why the call ended. ContextWithReport makes one, and the
// calls with its context fill it. Report.String is meant for people, Report.Snapshot for programs.
//
// A Report follows one call at a time. The next one with the same context takes its place, such as when the SDK itself tries
// again; calls that begin while another is running are not followed. It holds nothing secret, and may be read by any number of
// goroutines while the call runs.
type Report struct {
	mu    sync.Mutex
	call  CallReport
	first [1]AttemptInfo // where most calls have room for their attempt
}

// CallReport is what a Report knew at some moment.
type CallReport struct {
	// Target is who is called; zero before the first call.
	Target Target
	// Calls is how many calls were followed so far, the one described here included; 0 before the first.
	Calls int
	// Begin is when the call began.
	Begin time.Time
	// Elapsed is from Begin to its end, or until now.
	Elapsed time.Duration
	// Attempts are those that are over.
	Attempts []AttemptInfo
	// Waits are all waits that are over, before the first attempt and between them.
	Waits Waits
	// Doing says what a running call does; empty if it is over. It has done so since Since.
	Doing Activity
	Since time.Time
	// Reason is why there was no further attempt; empty while the call runs.
	Reason Reason
	// RetryAfter is how long a refusal would have lasted; zero if unknown, or if there was none.
	RetryAfter time.Duration
	// StatusCode is that of the response that the caller got; 0 if he got an error, or nothing yet.
	StatusCode int
	// Err is the error that the caller got, a *CallError; nil if he got a response, or nothing yet.
	Err error
}

// Activity is what a call does at some moment. Its text is meant for logs and metrics and is stable.
type Activity string

// What a running call may be doing.
const (
	Attempting     Activity = "attempt" // an attempt is under way
	WaitingBackoff Activity = "backoff" // see Waits
	WaitingPacing  Activity = "pacing"
	WaitingBreaker Activity = "breaker"
)

type reportKey struct{}

// ContextWithReport returns a context whose calls are described in the Report. With the SDK it goes into a request by SetContext,
// or into the method that takes one, such as DescribeInstancesWithContext.
func ContextWithReport(ctx context.Context) (context.Context, *Report) {
	report := new(Report)
	return context.WithValue(ctx, reportKey{}, report), report
}

// Snapshot returns all that is known by now.
func (r *Report) Snapshot() CallReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	call := r.call
	call.Attempts = slices.Clone(call.Attempts)
	if call.Doing != "" {
		call.Elapsed = time.Since(call.Begin)
	}
	return call
}

// String describes the call in a few lines: how it ended, what each attempt came to, what was waited for, and why it was not sent
// again. It does not end in a line feed.
func (r *Report) String() string { return r.Snapshot().String() }

// follow returns the context's report, made ready for a call; or nil if there is none, or if it follows another call. That is
// also how a Transport within another leaves the report to the outer one.
func follow(ctx context.Context, target Target, begin time.Time) *Report {
	r, _ := ctx.Value(reportKey{}).(*Report)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.call.Doing != "" {
		return nil
	}
	r.call = CallReport{
		Target: target, Calls: r.call.Calls + 1, Begin: begin, Attempts: r.first[:0],
		Doing: WaitingPacing, Since: begin,
	}
	return r
}

func (r *Report) begin(what Activity, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call.Doing, r.call.Since = what, now
}

func (r *Report) waited(waits Waits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call.Waits = waits
}

// attempt notes an attempt that is over.
func (r *Report) attempt(info *AttemptInfo, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call.Attempts = append(r.call.Attempts, *info)
	r.call.Since = now
}

// end notes how the call ended.
func (r *Report) end(info *DoneInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.call
	c.Doing, c.Since = "", time.Time{}
	c.Reason, c.Waits, c.Elapsed = info.Reason, info.Waits, info.Elapsed
	c.StatusCode, c.RetryAfter, c.Err = info.StatusCode, info.RetryAfter, info.Err
}

// leave ends the report of a call that panics.
func (r *Report) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call.Doing, r.call.Since, r.call.Elapsed = "", time.Time{}, time.Since(r.call.Begin)
}
