package peer

import (
	"errors"
	"net/http"
	"sync"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

var (
	errLimited = errors.New("peer: rate limit")
	errFault   = errors.New("peer: fault")
)

// Floor is the least that a transport can do which limits each target, breaks and understands envelopes: one look of
// 4 KiB, one map, one limiter, one breaker, and no retries. Others are measured by what they cost beyond it.
type Floor struct {
	base http.RoundTripper

	mu      sync.RWMutex
	targets map[floorKey]*floorTarget
}

type floorKey struct{ host, region, action string }

type floorTarget struct {
	limiter *rate.Limiter
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
}

// NewFloor returns a Floor over base.
func NewFloor(base http.RoundTripper) *Floor {
	return &Floor{base: base, targets: make(map[floorKey]*floorTarget)}
}

// RoundTrip implements http.RoundTripper.
func (f *Floor) RoundTrip(req *http.Request) (*http.Response, error) {
	t := f.target(req)
	if !t.limiter.Allow() {
		return refuse(req, errLimited)
	}
	done, err := t.breaker.Allow()
	if err != nil {
		return refuse(req, err)
	}
	resp, err := f.base.RoundTrip(req)
	if err != nil {
		done(err)
		return nil, err
	}
	code, err := Bounded(resp)
	switch {
	case err != nil:
		done(err)
		return nil, err
	case fault(code):
		done(errFault)
	default:
		done(nil)
	}
	return resp, nil
}

func (f *Floor) target(req *http.Request) *floorTarget {
	key := floorKey{req.URL.Host, first(req.Header["X-Tc-Region"]), first(req.Header["X-Tc-Action"])}
	f.mu.RLock()
	t := f.targets[key]
	f.mu.RUnlock()
	if t != nil {
		return t
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if t = f.targets[key]; t == nil {
		t = &floorTarget{
			limiter: rate.NewLimiter(1e9, 1e6),
			breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{}),
		}
		f.targets[key] = t
	}
	return t
}

// refuse closes the request's body, as a RoundTripper must even if it sends nothing.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, err
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
