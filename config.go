package tencenthttp

import (
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"
)

// config is what the options set. It does not change once the Transport is made.
type config struct {
	maxAttempts    int
	newBackOff     func() backoff.BackOff
	maxElapsed     time.Duration // zero: without end
	attemptTimeout time.Duration // zero: none
	budget         retryBudget

	limit        rateLimit
	actionLimits map[string]rateLimit // by action or service:action
	newLimiter   []func(Target) Limiter
	maxWait      time.Duration // zero: until the deadline
	noPacing     bool

	breaker   BreakerSettings
	noBreaker bool

	classifier  Classifier // nil: the default, with codes
	codes       map[string]Verdict
	idempotency idempotencyRules

	signer       Signer
	failover     func(host string) []string
	tokenActions []string // service:action or action

	hooks      hookList
	maxInspect int64
	maxReplay  int64

	problems []error
}

// rateLimit is a limit as WithRateLimit and WithActionRateLimit give it.
type rateLimit struct {
	limit rate.Limit
	burst int
}

const defaultMaxReplay = 10 << 20 // the largest request that the API accepts with signature v3

func newConfig(opts []Option) (*config, error) {
	c := &config{
		maxAttempts:  4,
		newBackOff:   newDefaultBackOff,
		maxElapsed:   60 * time.Second,
		budget:       retryBudget{ratio: 0.2, minPerSecond: 10},
		limit:        rateLimit{limit: rate.Inf},
		actionLimits: map[string]rateLimit{},
		codes:        map[string]Verdict{},
		maxInspect:   defaultMaxInspect,
		maxReplay:    defaultMaxReplay,
	}
	for i, opt := range opts {
		if opt == nil {
			c.reject("option %d is nil", i+1)
			continue
		}
		opt.apply(c)
	}
	c.breaker = c.breaker.withDefaults()
	if c.signer == nil && c.failover != nil {
		c.reject("WithFailover: a call for another host must be signed for it: WithSigner is missing")
	}
	if c.noBreaker && c.failover != nil {
		c.reject("WithFailover: calls go elsewhere while a breaker is open: WithoutBreaker leaves none")
	}
	if c.signer == nil && c.tokenActions != nil {
		c.reject("WithClientTokens: a call with another body must be signed again: WithSigner is missing")
	}
	if c.problems != nil {
		return nil, errors.Join(c.problems...)
	}
	return c, nil
}

// reject notes a bad value.
func (c *config) reject(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("tencenthttp: "+format, args...))
}

// limitFor returns the configured limit of a target.
func (c *config) limitFor(service, action string) rateLimit {
	if limit, ok := c.actionLimits[service+":"+action]; ok {
		return limit
	}
	if limit, ok := c.actionLimits[action]; ok {
		return limit
	}
	return c.limit
}

// maxBytes bounds what an option may ask to be held in memory.
const maxBytes = 1 << 30

func (c *config) checkBytes(name string, bytes int64) int64 {
	if bytes < 0 || bytes > maxBytes {
		c.reject("%s(%d): must be between 0 and %d", name, bytes, maxBytes)
	}
	return bytes
}

func (c *config) checkDuration(name string, d time.Duration) time.Duration {
	if d < 0 {
		c.reject("%s: %v: must not be negative", name, d)
	}
	return d
}

func (c *config) checkLimit(name string, limit rate.Limit, burst int) rateLimit {
	if !(limit > 0 && limit <= rate.Inf) { // NaN is not, and math.Inf(1) is more than rate.Inf
		c.reject("%s: limit %v: must be above 0, or rate.Inf", name, float64(limit))
	}
	if burst < 1 {
		c.reject("%s: burst %d: must be at least 1", name, burst)
	}
	return rateLimit{limit, burst}
}

func (c *config) checkPatterns(name string, patterns []string) []string {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			c.reject("%s(%q): not a pattern of path.Match", name, pattern)
		}
	}
	return patterns
}
