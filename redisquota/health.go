package redisquota

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// ChangeInfo says that Redis was lost, or that it is back.
type ChangeInfo struct {
	Up  bool          // it is back
	Err error         // how it was lost: an error of go-redis, or context.DeadlineExceeded if it took too long; nil if Up
	For time.Duration // how long it was away, if Up
}

func logChange(logger *slog.Logger) func(ChangeInfo) {
	return func(info ChangeInfo) {
		if info.Up {
			logger.LogAttrs(context.Background(), slog.LevelInfo, "redisquota: Redis is back", slog.Duration("after", info.For))
			return
		}
		logger.LogAttrs(context.Background(), slog.LevelWarn, "redisquota: Redis is lost, going on with the last known shares",
			slog.String("error", info.Err.Error()))
	}
}

const (
	probeEvery = 250 * time.Millisecond // while Redis is away
	probeHangs = time.Second            // after which another one is made beside it
)

// health knows whether Redis answers in time. While it does not, one exchange at a time finds out whether it does again, whatever
// the number of targets.
type health struct {
	changed func(ChangeInfo) // called with no lock held

	mu      sync.Mutex
	down    bool
	since   time.Time // when it was lost
	probing bool
	tried   time.Time // when the last probe began
}

// may tells whether an exchange may begin now.
func (h *health) may(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.down {
		return true
	}
	if ago := now.Sub(h.tried); ago < probeEvery || h.probing && ago < probeHangs {
		return false
	}
	h.probing, h.tried = true, now
	return true
}

// lost notes that an exchange failed or took too long. It returns what tells the hooks so, to be called without a lock.
func (h *health) lost(err error, now time.Time) (tell func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
	if h.down {
		return func() {}
	}
	h.down, h.since, h.tried = true, now, now
	return func() { h.changed(ChangeInfo{Err: err}) }
}

// answered notes that an exchange went well, but too late: the next one need not wait to show whether that was all.
func (h *health) answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing, h.tried = false, time.Time{}
}

// found notes that an exchange went well, in time. It returns what tells the hooks if that is news, to be called without a lock.
func (h *health) found(now time.Time) (tell func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
	if !h.down {
		return func() {}
	}
	h.down = false
	away := now.Sub(h.since)
	return func() { h.changed(ChangeInfo{Up: true, For: away}) }
}
