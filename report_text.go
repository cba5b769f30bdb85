package tencenthttp

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// String describes the call in a few lines. It does not end in a line feed.
func (c CallReport) String() string {
	if c.Calls == 0 {
		return "no call yet"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v: ", c.Target)
	switch {
	case c.Doing != "":
		fmt.Fprintf(&b, "running for %v, now %s for %v", round(c.Elapsed), c.Doing.words(), round(time.Since(c.Since)))
	case c.Reason == "":
		fmt.Fprintf(&b, "panicked after %v", round(c.Elapsed))
	default:
		fmt.Fprintf(&b, "%s after %v", c.Reason, round(c.Elapsed))
	}
	fmt.Fprintf(&b, ", %s", count(len(c.Attempts), "attempt"))
	if waits := c.Waits.words(); waits != "" {
		fmt.Fprintf(&b, ", waited for %s", waits)
	}
	for _, a := range c.Attempts {
		b.WriteString("\n  " + a.words())
	}
	if why := c.Reason.explanation(); why != "" {
		fmt.Fprintf(&b, "\n  no attempt %d: %s, %s", len(c.Attempts)+1, c.Reason, why)
		if c.RetryAfter > 0 {
			fmt.Fprintf(&b, "; ask again in %v", round(c.RetryAfter))
		}
	}
	return b.String()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Failure says in a few words what was wrong with the attempt: the API's error code, else the HTTP status, else why there was no
// answer. It is empty for a success, and holds nothing secret.
func (i AttemptInfo) Failure() string {
	switch {
	case i.Code != "":
		return i.Code
	case i.Err != nil:
		return causeText(i.Err)
	case i.StatusCode >= 400 || i.Verdict.Class != ClassSuccess:
		return "HTTP " + strconv.Itoa(i.StatusCode)
	}
	return ""
}

// words describes an attempt in a line.
func (i AttemptInfo) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "attempt %d", i.Attempt)
	if waits := i.Waits.words(); waits != "" {
		fmt.Fprintf(&b, ", after %s", waits)
	}
	if i.Host != i.Target.Host {
		fmt.Fprintf(&b, ", to %s", i.Host)
	}
	failure := i.Failure()
	if failure == "" {
		failure = "success"
	}
	fmt.Fprintf(&b, ": %s", failure)
	if i.Code != "" && i.StatusCode != 200 {
		fmt.Fprintf(&b, " (HTTP %d)", i.StatusCode)
	}
	fmt.Fprintf(&b, " in %v", round(i.Latency))
	if kind := i.Verdict.words(); kind != "" {
		b.WriteString(", " + kind)
	}
	if i.RequestID != "" {
		b.WriteString(", RequestId " + i.RequestID)
	}
	return b.String()
}

// words says in a word what was wrong; empty for a success.
func (v Verdict) words() string {
	switch {
	case v.Throttled:
		return "throttled"
	case v.Fault:
		return "fault"
	case v.Class == ClassSuccess:
		return ""
	}
	return v.Class.String()
}

// words lists the waits that there were.
func (w Waits) words() string {
	var parts []string
	for kind, wait := range w.All() {
		parts = append(parts, fmt.Sprintf("%s %v", kind, round(wait)))
	}
	return strings.Join(parts, " and ")
}

func (a Activity) words() string {
	if a == Attempting {
		return "in an attempt"
	}
	return "waiting (" + string(a) + ")"
}

// explanations say what the reasons mean to somebody who has not read the manual.
var explanations = map[Reason]string{
	ReasonFatal:             "sending it again cannot help",
	ReasonNotIdempotent:     "it may have run, and running it twice might do harm (a ClientToken would allow it)",
	ReasonAttemptsUsedUp:    "that is all that WithMaxAttempts allows",
	ReasonElapsed:           "it would end after WithMaxElapsedTime",
	ReasonDeadlineTooNear:   "it would end after the caller's deadline",
	ReasonBudgetEmpty:       "the endpoint fails for so many that retries would add to its load (WithRetryBudget)",
	ReasonBodyNotReplayable: "the request's body cannot be had again (WithMaxReplay)",
	ReasonSignatureTooOld:   "the service would refuse its signature (WithSigner)",
	ReasonBackOffStopped:    "the BackOff has said Stop",
	ReasonCanceled:          "the caller has given up, or its time was over",
	ReasonBreakerOpen:       "the endpoint is known to be down (WithBreaker)",
	ReasonRateLimited:       "its turn would come too late",
	ReasonSigningFailed:     "it could not be signed",
}

// explanation says what the reason means; empty where nothing is to be explained.
func (r Reason) explanation() string { return explanations[r] }

// round leaves what people care for.
func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// LogValue implements slog.LogValuer.
func (r *Report) LogValue() slog.Value {
	c := r.Snapshot()
	attempts := make([]string, len(c.Attempts))
	for i, a := range c.Attempts {
		attempts[i] = a.words()
	}
	return slog.GroupValue(
		slog.Any("target", c.Target), slog.String("reason", string(c.Reason)), slog.String("doing", string(c.Doing)),
		slog.Duration("elapsed", c.Elapsed), slog.Duration("backoff", c.Waits.Backoff),
		slog.Duration("pacing", c.Waits.Pacing), slog.Duration("breaker", c.Waits.Breaker),
		slog.Any("attempts", attempts),
	)
}

// LogValue implements slog.LogValuer.
func (e *CallError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("target", e.Target), slog.Int("attempts", e.Attempts), slog.String("reason", string(e.Reason)),
		slog.String("code", e.Code), slog.String("request_id", e.RequestID), slog.Duration("retry_after", e.RetryAfter),
		slog.String("error", causeText(e.Err)),
	)
}
