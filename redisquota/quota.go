package redisquota

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"runtime"
	"sync"
	"weak"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
)

// Quota shares the rates of targets with every other process that has a Quota with the same Redis and the same WithPrefix. Its
// method Limiter is what tencenthttp.WithLimiter takes. New makes one; a process needs one, for all of its Transports.
//
// It has no Close: goroutines and timers run only while a call waits or an exchange with Redis is under way. It is safe for
// concurrent use.
type Quota struct {
	cfg    config
	redis  redis.Scripter
	id     string // of this process, by chance: no name of a host or a user gets to Redis
	health health

	mu       sync.Mutex
	limiters map[tencenthttp.Target]weak.Pointer[limiter] // as long as a Transport remembers the target
}

// New returns a Quota that uses the client, which stays the caller's to close. Every bad option is reported at once. Redis is not
// asked yet, so that it need not be there.
func New(client redis.UniversalClient, opts ...Option) (*Quota, error) {
	cfg, err := newConfig(client, opts)
	if err != nil {
		return nil, err
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return &Quota{
		cfg: cfg, redis: client, id: hex.EncodeToString(id[:]),
		health:   health{changed: cfg.changed},
		limiters: map[tencenthttp.Target]weak.Pointer[limiter]{},
	}, nil
}

// Limiter returns the target's limiter: the same one as long as anybody holds it.
func (q *Quota) Limiter(target tencenthttp.Target) tencenthttp.Limiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.limiters[target].Value(); l != nil {
		return l
	}
	l := newLimiter(q, target)
	q.limiters[target] = weak.Make(l)
	runtime.AddCleanup(l, q.forget, target)
	return l
}

// forget removes a limiter that nobody holds any more, unless there is a new one.
func (q *Quota) forget(target tencenthttp.Target) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limiters[target].Value() == nil {
		delete(q.limiters, target)
	}
}

var errNoClient = errors.New("redisquota: the client is nil")
