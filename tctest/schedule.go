package tctest

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// At has f run when so much time has passed since New. No timer is kept: f runs just before the first request after that moment
// is looked at, or when a call waiting for capacity has reached it, so to the calls it looks as if it had been on time. Entries
// of the same moment run in the order in which they were given. f may set anything on the API but must not call it over HTTP.
//
//	api.At(45*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 5, MaxQueue: 8 * time.Second}) })
func (a *API) At(since time.Duration, f func()) {
	a.schedule.add(a.start.Add(since), f)
}

// schedule is a list of changes to come.
type schedule struct {
	due     atomic.Int64 // when the first one is, in Unix nanoseconds; spares calls the lock
	running sync.Mutex   // held while changes are made: a call that arrives in the meantime waits for them

	mu      sync.Mutex
	changes []change // by time
}

type change struct {
	at time.Time
	f  func()
}

func (s *schedule) init() { s.due.Store(math.MaxInt64) }

func (s *schedule) add(at time.Time, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.changes)
	for i > 0 && s.changes[i-1].at.After(at) {
		i--
	}
	s.changes = slices.Insert(s.changes, i, change{at, f})
	s.publish()
}

func (s *schedule) publish() {
	if len(s.changes) == 0 {
		s.due.Store(math.MaxInt64)
	} else {
		s.due.Store(s.changes[0].at.UnixNano())
	}
}

// next returns when the next change is.
func (s *schedule) next() (time.Time, bool) {
	due := s.due.Load()
	return time.Unix(0, due), due != math.MaxInt64
}

// run makes the changes that are due.
func (s *schedule) run(now time.Time) {
	if now.UnixNano() < s.due.Load() {
		return
	}
	s.running.Lock()
	defer s.running.Unlock()
	for {
		s.mu.Lock()
		if len(s.changes) == 0 || s.changes[0].at.After(now) {
			s.publish()
			s.mu.Unlock()
			return
		}
		f := s.changes[0].f
		s.changes = s.changes[1:]
		s.mu.Unlock()
		f()
	}
}
