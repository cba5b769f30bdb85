package tencenthttp

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxSkew is the largest difference of clocks that is believed: a Date further off is a mistake of somebody else's.
	maxSkew = 24 * time.Hour
	// minSkew is the least age of a signature, on the service's clock, that explains why it was refused. The limit is 300 s; the Date
	// header and the way take their share.
	minSkew = 240 * time.Second
)

// clocks has how far the clocks of services are ahead of ours, by host. A host whose clock agrees is not in it.
type clocks struct {
	some atomic.Bool

	mu     sync.Mutex
	offset map[string]time.Duration
}

// of returns how far the host's clock is ahead of ours.
func (k *clocks) of(host string) time.Duration {
	if !k.some.Load() {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.offset[host]
}

// set notes a host's offset. One that the service would not notice is none.
func (k *clocks) set(host string, offset time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case offset.Abs() < maxSignatureAge-minSkew:
		delete(k.offset, host)
	case k.offset == nil:
		k.offset = map[string]time.Duration{host: offset}
	default:
		if len(k.offset) >= maxEntries {
			clear(k.offset)
		}
		k.offset[host] = offset
	}
	k.some.Store(len(k.offset) > 0)
}

// skewOf returns how far the clock that answered is ahead of ours, if its Date header says so credibly and in a way that explains
// why a signature of that time was refused.
func skewOf(header http.Header, signed, now time.Time) (time.Duration, bool) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, false
	}
	offset := date.Sub(now)
	return offset, offset.Abs() <= maxSkew && date.Sub(signed).Abs() > minSkew
}
