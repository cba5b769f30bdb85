package tctest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Outcome is what became of a wire request.
type Outcome uint8

const (
	// Pending means that it is still being handled.
	Pending Outcome = iota
	// Answered means that the answer's headers were sent.
	Answered
	// Refused means that there was no connection.
	Refused
	// Dropped means that the connection broke before the answer's headers.
	Dropped
	// Abandoned means that the caller gave up before the answer's headers.
	Abandoned
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	return [...]string{"pending", "answered", "refused", "dropped", "abandoned"}[min(o, Abandoned)]
}

// Call is the record of one wire request.
type Call struct {
	// Number counts wire requests from 1.
	Number uint64
	// Time is when it arrived, Took how long until its outcome, both in true time, whatever SetClockOffset says.
	Time time.Time
	Took time.Duration
	// The target, as in Request.
	Method, Host, Service, Version, Action, Region, SecretID string
	// ClientToken is that parameter, if the body was read.
	ClientToken string
	// Header is a copy of the headers as they arrived.
	Header http.Header
	// Body has the first bytes of the body, as many as WithRecord allows; BodySize says how many there were.
	Body     []byte
	BodySize int
	// Outcome, and for Answered the HTTP status and the code of the failure; no Code and Status 200 is a success.
	Outcome Outcome
	Status  int
	Code    string
	// RequestID is the one of the answer.
	RequestID string
}

// Tally counts wire requests.
type Tally struct {
	// Arrived is how many there were: the sum of Answered, Refused, Dropped, Abandoned, and those still pending.
	Arrived, Answered, Refused, Dropped, Abandoned int
	// Succeeded is how many of Answered had status 200 and no code.
	Succeeded int
	// Codes counts the other Answered by code, "HTTP 503" and the like standing for answers without one.
	Codes map[string]int
}

// Calls returns copies of the recorded wire requests to which every filter says yes, in order of arrival.
func (a *API) Calls(filters ...func(*Call) bool) []Call {
	j := &a.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	var calls []Call
	for i := range j.calls {
		c := j.calls[(j.oldest+i)%len(j.calls)]
		if !slices.ContainsFunc(filters, func(f func(*Call) bool) bool { return !f(c) }) {
			calls = append(calls, *c)
		}
	}
	return calls
}

// ByAction returns a filter for Calls: requests for one of the actions.
func ByAction(actions ...string) func(*Call) bool {
	return func(c *Call) bool { return slices.Contains(actions, c.Action) }
}

// ByCode returns a filter for Calls: answered requests with one of the codes, "" being a success.
func ByCode(codes ...string) func(*Call) bool {
	return func(c *Call) bool {
		if c.Code == "" && c.Status != http.StatusOK {
			return false
		}
		return c.Outcome == Answered && slices.Contains(codes, c.Code)
	}
}

// ByOutcome returns a filter for Calls.
func ByOutcome(outcomes ...Outcome) func(*Call) bool {
	return func(c *Call) bool { return slices.Contains(outcomes, c.Outcome) }
}

// Since returns a filter for Calls: requests that arrived at t or later.
func Since(t time.Time) func(*Call) bool {
	return func(c *Call) bool { return !c.Time.Before(t) }
}

// Count returns how many wire requests arrived for the actions, for all if none is named. It does not depend on WithRecord.
func (a *API) Count(actions ...string) int { return a.Tally(actions...).Arrived }

// Tally returns the counts of the actions together, of all if none is named. They do not depend on WithRecord.
func (a *API) Tally(actions ...string) Tally {
	j := &a.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(actions) == 0 {
		actions = slices.Collect(maps.Keys(j.tallies))
	}
	sum := Tally{Codes: make(map[string]int)}
	for _, action := range actions {
		t := j.tallies[action]
		if t == nil {
			continue
		}
		sum.Arrived += t.Arrived
		sum.Answered += t.Answered
		sum.Refused += t.Refused
		sum.Dropped += t.Dropped
		sum.Abandoned += t.Abandoned
		sum.Succeeded += t.Succeeded
		for code, n := range t.Codes {
			sum.Codes[code] += n
		}
	}
	return sum
}

// OnCall has f called with the record of every wire request as soon as its outcome is known, whatever WithRecord says, in the
// goroutine that handles the request and with nothing locked. Several functions are called in the order in which they were given.
// It must be called before the first request.
func (a *API) OnCall(f func(Call)) { a.journal.observers = append(a.journal.observers, f) }

// ResetCalls empties the record and sets all counts to zero. Requests under way are no longer counted.
func (a *API) ResetCalls() {
	j := &a.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls, j.oldest = nil, 0
	j.tallies = make(map[string]*Tally)
}
