package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/tencenthttp/tencenthttp"
)

// maxFailures is how many kinds of failures are remembered: the latest.
const maxFailures = 50

// Failure is a kind of failed calls: the same action, reason and error code. The details are those of the last one.
type Failure struct {
	Service   string    `json:"service"`
	Action    string    `json:"action"`
	Region    string    `json:"region"`
	Host      string    `json:"host"`
	Reason    string    `json:"reason"`         // why there was no further attempt: tencenthttp.Reason
	Code      string    `json:"code,omitempty"` // the last answer's
	Status    int       `json:"status,omitempty"`
	Count     uint64    `json:"count"` // since this kind was first seen
	Last      time.Time `json:"last"`
	RequestID string    `json:"request_id,omitempty"`
	Attempts  int       `json:"attempts"`
	Elapsed   float64   `json:"elapsed_s"`
	Waited    float64   `json:"waited_s"`
}

type failureKind struct {
	target tencenthttp.Target
	reason tencenthttp.Reason
	code   string
}

// failures remembers the latest kinds of failures.
type failures struct{ byKind map[failureKind]*Failure }

func (f *failures) add(info tencenthttp.DoneInfo, now time.Time) {
	kind := failureKind{info.Target, info.Reason, info.Code}
	found := f.byKind[kind]
	if found == nil {
		if len(f.byKind) >= maxFailures {
			f.dropOldest()
		}
		found = new(Failure)
		f.byKind[kind] = found
	}
	*found = Failure{
		Service: info.Target.Service, Action: info.Target.Action, Region: info.Target.Region, Host: info.Target.Host,
		Reason: string(info.Reason), Code: info.Code, Status: info.StatusCode, Count: found.Count + 1, Last: now,
		RequestID: info.RequestID, Attempts: info.Attempts, Elapsed: info.Elapsed.Seconds(), Waited: info.Waits.Total().Seconds(),
	}
}

func (f *failures) dropOldest() {
	var oldest failureKind
	var last time.Time
	for kind, failure := range f.byKind {
		if last.IsZero() || failure.Last.Before(last) {
			oldest, last = kind, failure.Last
		}
	}
	delete(f.byKind, oldest)
}

// list returns the failures, the latest first.
func (f *failures) list() []Failure {
	list := make([]Failure, 0, len(f.byKind))
	for _, failure := range f.byKind {
		list = append(list, *failure)
	}
	slices.SortFunc(list, func(a, b Failure) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Code, b.Code))
	})
	return list
}
