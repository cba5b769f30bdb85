package tencenthttp

import (
	"net/http"
	"strconv"
	"time"
)

// Class says what may be done about the outcome of an attempt. The zero Class is ClassSuccess.
type Class uint8

const (
	// ClassSuccess means that the call did what it was asked to do.
	ClassSuccess Class = iota
	// ClassRetryable means that the call may be sent again whatever its action.
	ClassRetryable
	// ClassIdempotent means that the call may be sent again only if running it twice is harmless.
	ClassIdempotent
	// ClassFatal means that sending the call again cannot help.
	ClassFatal
)

// String returns the name of the class in lower case.
func (c Class) String() string {
	switch c {
	case ClassSuccess:
		return "success"
	case ClassRetryable:
		return "retryable"
	case ClassIdempotent:
		return "idempotent"
	case ClassFatal:
		return "fatal"
	}
	return "invalid"
}

// Verdict is what a Classifier makes of an outcome. The zero Verdict is a success.
type Verdict struct {
	// Class says whether the call may be sent again.
	Class Class
	// Throttled says that the service refused the call because there were too many of them. It is neutral for the breaker.
	Throttled bool
	// Fault says that the service or the way to it failed. It counts against the endpoint's breaker and draws on the retry budget.
	Fault bool
	// RetryAfter is how long the service asked to wait before the next attempt; zero means that it did not say. At most 20 s are honoured.
	RetryAfter time.Duration
}

// Outcome is what came of one attempt: a response or an error, never both.
type Outcome struct {
	// Request is the caller's request. It must not be changed, and its body may be used up.
	Request *http.Request
	// Response is what the base RoundTripper answered; nil if Err is set. Its body must not be read: what there is to know of it is in Envelope.
	Response *http.Response
	// Envelope is the answer's envelope; nil where the answer has none or was not looked at.
	Envelope *Envelope
	// Err is why there is no response.
	Err error
	// Attempt is the number of this attempt, counted from 1.
	Attempt int
}

// Classifier judges the outcome of an attempt. It may be called by any number of goroutines.
type Classifier func(Outcome) Verdict

// Classify is the default Classifier. An API error code is judged by ClassifyCode, an answer without an envelope by its HTTP
// status, and an error by what it says about whether the request can have reached the service. Fatal is everything that nobody
// knows to be better.
func Classify(o Outcome) Verdict { return classify(o, nil) }

// classify is Classify with the verdicts that WithCode has set.
func classify(o Outcome, codes map[string]Verdict) Verdict {
	if o.Err != nil {
		return classifyError(o)
	}
	if o.Response == nil {
		return Verdict{Class: ClassFatal}
	}
	var verdict Verdict
	switch {
	case o.Envelope != nil && o.Envelope.Error != nil:
		verdict = codeVerdict(o.Envelope.Error.Code, codes)
	default:
		verdict = classifyStatus(o.Response)
	}
	if o.Response.StatusCode == http.StatusTooManyRequests && verdict.Class != ClassSuccess {
		verdict.Class, verdict.Throttled = ClassRetryable, true
	}
	if verdict.RetryAfter == 0 && verdict.Class != ClassSuccess {
		verdict.RetryAfter = retryAfter(o.Response.Header, time.Now())
	}
	return verdict
}

// classifyStatus judges an answer that no envelope explains: it comes from something before the API.
func classifyStatus(resp *http.Response) Verdict {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return Verdict{Class: ClassRetryable, Throttled: true}
	case http.StatusServiceUnavailable:
		// RFC 9110, 15.6.4: with Retry-After it is a refusal, made before anything ran.
		if resp.Header.Get("Retry-After") != "" {
			return Verdict{Class: ClassRetryable, Fault: true}
		}
		return Verdict{Class: ClassIdempotent, Fault: true}
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return Verdict{Class: ClassIdempotent, Fault: true}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return Verdict{Class: ClassFatal}
	}
	return Verdict{}
}

// retryAfter reads a Retry-After header, in seconds or as a date (RFC 9110, 10.2.3). What is negative, past or unreadable is zero.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		const longest = 24 * 60 * 60 // far beyond what is honoured, and far from overflowing
		return time.Duration(min(max(0, seconds), longest)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
