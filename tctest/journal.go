package tctest

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// journal is the record.
type journal struct {
	keep, bodyLimit int // set once, before the first call; negative: no bound
	observers       []func(Call)

	mu      sync.Mutex
	calls   []*Call // a ring once it is full
	oldest  int
	tallies map[string]*Tally // by action
}

func (j *journal) init() {
	j.keep, j.bodyLimit = defaultKeep, defaultBodyRecord
	j.tallies = make(map[string]*Tally)
}

// entry is what a wire request has in the journal.
type entry struct {
	j     *journal
	call  *Call // nil if the record is off
	tally *Tally
	done  bool
}

// open notes the arrival of a request. The action of a form is not known yet: named adds it.
func (j *journal) open(number uint64, r *Request, now time.Time) entry {
	e := entry{j: j}
	if j.keep != 0 || len(j.observers) > 0 {
		e.call = &Call{
			Number: number, Time: now, RequestID: r.RequestID, Header: r.Header.Clone(), Method: r.Method, Host: r.Host,
			Service: r.Service, Version: r.Version, Action: r.Action, Region: r.Region, SecretID: r.SecretID,
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.keep != 0 {
		if j.keep < 0 || len(j.calls) < j.keep {
			j.calls = append(j.calls, e.call)
		} else {
			j.calls[j.oldest] = e.call
			j.oldest = (j.oldest + 1) % len(j.calls)
		}
	}
	e.count(r.Action)
	return e
}

// count enters an arrival under the action. The journal is locked.
func (e *entry) count(action string) {
	t := e.j.tallies[action]
	if t == nil {
		t = &Tally{Codes: make(map[string]int)}
		e.j.tallies[action] = t
	}
	t.Arrived++
	e.tally = t
}

// read notes what the body of the request said.
func (e *entry) read(r *Request, wasForm bool) {
	var token string
	if e.call != nil {
		token = r.ClientToken()
	}
	e.j.mu.Lock()
	defer e.j.mu.Unlock()
	if wasForm && r.Action != "" && e.tally == e.j.tallies[""] { // else ResetCalls forgot it
		e.tally.Arrived--
		e.count(r.Action)
	}
	if c := e.call; c != nil {
		c.Version, c.Action, c.Region, c.SecretID = r.Version, r.Action, r.Region, r.SecretID
		c.ClientToken, c.BodySize = token, len(r.Body)
		c.Body = r.Body
		if n := e.j.bodyLimit; n >= 0 && len(r.Body) > n {
			c.Body = bytes.Clone(r.Body[:n])
		}
	}
}

// close notes the outcome; the first one counts.
func (e *entry) close(o Outcome, status int, code string, took time.Duration) {
	if e.done {
		return
	}
	e.done = true
	e.j.mu.Lock()
	e.tally.add(o, status, code)
	if c := e.call; c != nil {
		c.Outcome, c.Took = o, took
		if o == Answered {
			c.Status, c.Code = status, code
		}
	}
	e.j.mu.Unlock()
	for _, f := range e.j.observers {
		f(*e.call) // nobody changes it any more
	}
}

// add counts an outcome.
func (t *Tally) add(o Outcome, status int, code string) {
	switch o {
	case Refused:
		t.Refused++
	case Dropped:
		t.Dropped++
	case Abandoned:
		t.Abandoned++
	case Answered:
		t.Answered++
		switch {
		case code != "":
			t.Codes[code]++
		case status != http.StatusOK:
			t.Codes["HTTP "+strconv.Itoa(status)]++
		default:
			t.Succeeded++
		}
	}
}
