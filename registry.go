package tencenthttp

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxEntries is how many targets, and how many endpoints, a Transport remembers. An account has a few hundred.
const maxEntries = 10_000

// registryEntry is something that can be forgotten while it is idle: its loss would change nothing that a call could notice.
type registryEntry interface {
	idle(now time.Time) bool
	use() *usage
}

// usage is embedded in an entry.
type usage struct {
	calls atomic.Int64 // that hold the entry now
	last  atomic.Int64 // when the last one let it go, in nanoseconds since the registry's epoch
}

func (u *usage) use() *usage { return u }

// registry is a map that stays bounded: once it is full, the oldest idle entries go. A busy one never does, so that it may grow
// beyond max by the number of calls under way.
type registry[K comparable, V registryEntry] struct {
	max     int
	forget  func(V) // is told of an entry that goes, or that was made in vain; may be nil
	epoch   time.Time
	mu      sync.RWMutex
	entries map[K]V
	sweepAt int // the size at which to look for idle entries
}

func newRegistry[K comparable, V registryEntry](maximum int, forget func(V)) *registry[K, V] {
	return &registry[K, V]{max: maximum, forget: forget, epoch: time.Now(), entries: map[K]V{}, sweepAt: maximum}
}

// get returns key's entry and holds it; create makes it, without a lock, where there is none.
func (r *registry[K, V]) get(key K, now time.Time, create func() (K, V)) V {
	r.mu.RLock()
	entry, ok := r.entries[key]
	if ok {
		entry.use().calls.Add(1)
	}
	r.mu.RUnlock()
	if ok {
		return entry
	}
	key, fresh := create()
	r.mu.Lock()
	defer r.mu.Unlock()
	if entry, ok = r.entries[key]; ok {
		r.drop(fresh) // another call was faster
	} else {
		if len(r.entries) >= r.sweepAt {
			r.sweep(now)
		}
		entry = fresh
		r.entries[key] = entry
	}
	entry.use().calls.Add(1)
	return entry
}

// release ends a get.
func (r *registry[K, V]) release(entry V, now time.Time) {
	use := entry.use()
	use.last.Store(int64(now.Sub(r.epoch)))
	use.calls.Add(-1)
}

// sweep forgets the oldest idle entries, down to three quarters of max, so that it runs once for every many new ones.
func (r *registry[K, V]) sweep(now time.Time) {
	type candidate struct {
		key  K
		last int64
	}
	var idle []candidate
	for key, entry := range r.entries {
		if entry.use().calls.Load() == 0 && entry.idle(now) {
			idle = append(idle, candidate{key, entry.use().last.Load()})
		}
	}
	slices.SortFunc(idle, func(a, b candidate) int { return int(min(1, max(-1, a.last-b.last))) })
	room := max(1, r.max/4)
	for _, old := range idle[:min(len(idle), max(0, len(r.entries)-r.max+room))] {
		r.drop(r.entries[old.key])
		delete(r.entries, old.key)
	}
	r.sweepAt = max(r.max, len(r.entries)+room)
}

func (r *registry[K, V]) drop(entry V) {
	if r.forget != nil {
		r.forget(entry)
	}
}

// all returns the entries that are there now, in no order.
func (r *registry[K, V]) all() []V {
	r.mu.RLock()
	defer r.mu.RUnlock()
	entries := make([]V, 0, len(r.entries))
	for _, entry := range r.entries {
		entries = append(entries, entry)
	}
	return entries
}
