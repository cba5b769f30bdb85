package tencenthttp

import (
	"sync"
	"time"
)

const (
	// warnEvery is the least time between two warnings of one kind about one target.
	warnEvery = time.Second
	// maxWarnings is how many targets and kinds are told apart within that time: a bound on memory, about 2 MB.
	maxWarnings = 10_000
)

// warning is what warnings of one kind about one target have in common.
type warning struct {
	target Target
	kind   string
}

// warnings decides which warnings are written, and counts the others. Its zero value is ready; it has no timer of its own, so
// what was left out is told with the next one that is written.
type warnings struct {
	mu      sync.Mutex
	last    map[warning]*written
	sweep   time.Time // when the map was last freed of what is over
	dropped uint64    // left out, of kinds that the map has no entry for
}

// written is the last warning of its kind.
type written struct {
	at      time.Time
	leftOut uint64 // since then
}

// may tells whether a warning may be written now, and how many of its kind were left out since the last one.
func (w *warnings) may(kind warning) (leftOut uint64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	last := w.last[kind]
	switch {
	case last != nil && now.Sub(last.at) < warnEvery:
		last.leftOut++
		return 0, false
	case last == nil && !w.room(now):
		w.dropped++
		return 0, false
	case last == nil:
		last = new(written)
		w.last[kind] = last
	}
	leftOut = last.leftOut + w.dropped
	*last, w.dropped = written{at: now}, 0
	return leftOut, true
}

// room makes room for one more entry. It goes through the map once a second at most.
func (w *warnings) room(now time.Time) bool {
	if w.last == nil {
		w.last = make(map[warning]*written)
	}
	if len(w.last) < maxWarnings {
		return true
	}
	if now.Sub(w.sweep) >= warnEvery {
		w.sweep = now
		for kind, last := range w.last {
			if now.Sub(last.at) >= warnEvery {
				w.dropped += last.leftOut
				delete(w.last, kind)
			}
		}
	}
	return len(w.last) < maxWarnings
}
