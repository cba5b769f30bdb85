package tencenthttp

import (
	"sync/atomic"
	"time"
)

// pulse tells slow answers from usual ones. It takes no lock.
type pulse struct {
	usual atomic.Int64 // how long an answer takes on average, in nanoseconds; zero if there was none
	run   atomic.Int64 // slow answers in a row
	held  atomic.Bool  // usual stays as it is, for the service is not well
}

const (
	usualMemory = 32 // answers, over which the average is taken, about
	slowTimes   = 2  // the usual time, and
	slowExtra   = 100 * time.Millisecond
)

// beat takes note of an answer, and returns whether it was slow.
func (p *pulse) beat(took time.Duration) bool {
	usual := time.Duration(p.usual.Load())
	slow := usual > 0 && took > slowTimes*usual+slowExtra
	switch {
	case slow:
		p.run.Add(1)
	case p.run.Load() != 0:
		p.run.Store(0)
	}
	switch {
	case usual == 0:
		p.usual.Store(int64(max(1, took)))
	case !p.held.Load():
		p.usual.Store(int64(max(1, usual+(took-usual)/usualMemory)))
	}
	return slow
}
