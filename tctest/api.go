package tctest

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// API is a fake of Tencent Cloud API 3.0: it answers every host, service and action in one place. New makes one.
//
// Without any setting every call succeeds at once with {"Response":{"RequestId":"..."}}. Handlers, scripted answers, quotas,
// outages, latency, capacity and credentials change that; each can be set before the first call and changed while calls run.
//
// An API is used through RoundTripper, in memory, or as an http.Handler, which NewServer puts behind a real socket. Both take
// the same path and give the same answers. It starts no goroutine and keeps no timer that outlives a call.
//
// The zero API is not usable. All methods are safe for concurrent use.
type API struct {
	start  time.Time
	seed   uint64
	serial atomic.Uint64 // wire requests so far; the last one's number
	draws  atomic.Uint64 // sources of randomness handed out so far

	tls, http2 bool // NewServer only
	gzip       bool
	maxBody    int64

	schedule schedule
	journal  journal
	backend  backend

	mu          sync.Mutex // guards what follows
	strict      bool
	handlers    byAction[HandlerFunc]
	scripts     byAction[*script]
	quotas      quotas
	outages     []Outage
	latency     Latency
	throttled   Latency
	network     Latency
	credentials credentials
	offset      time.Duration
	date        func(time.Time) string
}

// New returns an API as the options say. It is meant to be called inside the bubble when testing/synctest is used: times such
// as those of an Outage count from this moment.
//
// New and every setter panic on settings that make no sense, such as a negative rate: those are mistakes in the test.
func New(opts ...Option) *API {
	a := &API{start: time.Now(), seed: 1, maxBody: defaultMaxBody}
	a.journal.init()
	a.schedule.init()
	a.backend.init()
	for _, opt := range opts {
		opt(a)
	}
	return a
}

// Elapsed returns the time since New. It is the clock of Outage and At; it does not know of SetClockOffset.
func (a *API) Elapsed() time.Duration { return time.Since(a.start) }

// requestID returns the RequestId of the wire request with that number: unique within an API and the same in every run.
func (a *API) requestID(number uint64) string {
	const form = "00000000-0000-4000-8000-000000000000"
	id := []byte(form)
	hexInto(id[:8], a.seed)
	hexInto(id[24:], number)
	return string(id)
}

func hexInto(dst []byte, n uint64) {
	const digits = "0123456789abcdef"
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = digits[n&15]
		n >>= 4
	}
}

type randKey struct{}

// ContextWithRand returns a context whose in-memory calls draw their latencies, network delays and outages from rnd instead of
// from the API's seed and their order of arrival. A simulation that gives every simulated call its own seeded rnd comes out the
// same however the goroutines are scheduled. rnd must not be used by two calls at a time.
func ContextWithRand(ctx context.Context, rnd *rand.Rand) context.Context {
	return context.WithValue(ctx, randKey{}, rnd)
}

// actionKey names an action, of one service or (service empty) of any.
type actionKey struct{ service, action string }

// anyAction is how an action is written where all are meant.
const anyAction = "*"

func parseAction(pattern string) actionKey {
	for i := range len(pattern) {
		if pattern[i] == ':' {
			return actionKey{pattern[:i], pattern[i+1:]}
		}
	}
	return actionKey{"", pattern}
}

// byAction holds settings by action. The most exact one wins: "cvm:RunInstances", "RunInstances", "cvm:*", "*".
type byAction[T any] map[actionKey]T

func (m byAction[T]) find(service, action string) (v T, ok bool) {
	if len(m) == 0 {
		return v, false
	}
	for _, k := range [...]actionKey{{service, action}, {"", action}, {service, anyAction}, {"", anyAction}} {
		if v, ok = m[k]; ok {
			return v, true
		}
	}
	return v, false
}

func (m *byAction[T]) set(pattern string, v T) {
	if *m == nil {
		*m = make(byAction[T])
	}
	(*m)[parseAction(pattern)] = v
}

func (k actionKey) matches(service, action string) bool {
	return (k.service == "" || k.service == service) && (k.action == "" || k.action == anyAction || k.action == action)
}
