package sim

import (
	"cmp"
	"slices"
	"time"
)

// warmUp is what a policy that does not know the quota is allowed to find it out.
const warmUp = 3 * time.Second

// Result is what became of one run.
type Result struct {
	Scenario, Policy string
	Seed             uint64
	Limit            Limit
	// Closed says which kind of load it was.
	Closed bool

	// OK and Failed count calls. In a closed load a call that failed is made again and may fail again. Left is how many had not
	// succeeded when the run was broken off.
	OK, Failed, Left int
	// Sent and Throttled count the requests that reached the service, SentLater and ThrottledLater those after the first 3 s.
	Sent, Throttled           int
	SentLater, ThrottledLater int
	// Makespan is when the last call succeeded.
	Makespan time.Duration
	// Succeeded and Refused are how long the calls took that succeeded and that did not, shortest first.
	Succeeded, Refused []time.Duration
	// Causes counts the failed calls by why they did.
	Causes map[string]int

	// Disturbance is nil if nothing went wrong.
	Disturbance *Disturbance
	// Shares has an entry for each process.
	Shares []Share
	// Seconds is the course of the run.
	Seconds []Second
}

func newResult(s *Scenario, policy string, seed uint64, limit Limit, j *journal) *Result {
	slices.SortFunc(j.calls, func(a, b call) int { return cmp.Compare(a.end, b.end) })
	r := &Result{Scenario: s.Name, Policy: policy, Seed: seed, Limit: limit, Closed: !s.Open(), Causes: map[string]int{}}
	for _, c := range j.calls {
		r.count(c)
	}
	for _, w := range j.wires {
		r.send(w)
	}
	if !s.Open() {
		r.Left = s.total() - r.OK
	}
	slices.Sort(r.Succeeded)
	slices.Sort(r.Refused)
	if _, until := s.Disturbed(); until > 0 {
		r.Disturbance = newDisturbance(s, limit, j)
	}
	r.Shares = newShares(s, j)
	r.Seconds = newSeconds(s, j)
	return r
}

func (r *Result) count(c call) {
	took := c.end - c.begun
	if c.err != nil {
		r.Failed++
		r.Refused = append(r.Refused, took)
		r.Causes[cause(c.err)]++
		return
	}
	r.OK++
	r.Succeeded = append(r.Succeeded, took)
	r.Makespan = max(r.Makespan, c.end)
}

func (r *Result) send(w wire) {
	r.Sent++
	late := w.sent >= warmUp
	if late {
		r.SentLater++
	}
	if w.throttle {
		r.Throttled++
		if late {
			r.ThrottledLater++
		}
	}
}
