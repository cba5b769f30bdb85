package tencenthttp

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"
)

// Option configures a Transport. A bad value is reported by NewTransport.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithMaxAttempts sets how many times one call may go to the base RoundTripper, the first time included. Default 4; 1 means
// never to retry. What net/http resends by itself on a stale connection is not counted.
func WithMaxAttempts(n int) Option {
	return optionFunc(func(c *config) {
		if n < 1 {
			c.reject("WithMaxAttempts(%d): must be at least 1", n)
		}
		c.maxAttempts = n
	})
}

// WithBackOff sets where the delays between attempts come from. Newer is called once for each call that needs a delay; the
// BackOff is used by that call alone, and Reset first. backoff.Stop ends the call. Default: full jitter in [0, d], where d is
// 100 ms and doubles with each attempt up to 20 s.
func WithBackOff(newer func() backoff.BackOff) Option {
	return optionFunc(func(c *config) {
		if newer == nil {
			c.reject("WithBackOff(nil): must be a function")
		}
		c.newBackOff = newer
	})
}

// WithMaxElapsedTime bounds a call: no attempt is made that would end, judging by the last one, later than d after its begin.
// Waits count, and an attempt that runs is not cut off. The caller's deadline binds as well. Default 60 s; zero means no bound.
func WithMaxElapsedTime(d time.Duration) Option {
	return optionFunc(func(c *config) {
		c.maxElapsed = c.checkDuration("WithMaxElapsedTime", d)
	})
}

// WithAttemptTimeout bounds one attempt, from handing it to the base RoundTripper until the answer's headers and the part of the
// body that is looked at have come. It never cuts off the body that follows, nor a request for an Upgrade. Default and zero: none.
func WithAttemptTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) {
		c.attemptTimeout = c.checkDuration("WithAttemptTimeout", d)
	})
}

// WithRetryBudget bounds the retries of faults (not of throttles), for each endpoint: within any 10 s, to ratio times the calls
// of these 10 s and 10 times minPerSecond. Default 0.2 and 10.
func WithRetryBudget(ratio, minPerSecond float64) Option {
	return optionFunc(func(c *config) {
		if !(ratio >= 0 && ratio <= 1) { // NaN is not
			c.reject("WithRetryBudget: ratio %v: must be between 0 and 1", ratio)
		}
		if !(minPerSecond >= 0 && minPerSecond <= math.MaxFloat64) {
			c.reject("WithRetryBudget: minPerSecond %v: must be a number and not negative", minPerSecond)
		}
		c.budget = retryBudget{ratio: ratio, minPerSecond: minPerSecond}
	})
}

// WithoutRetryBudget lifts the bound that WithRetryBudget describes.
func WithoutRetryBudget() Option {
	return optionFunc(func(c *config) { c.budget = retryBudget{off: true} })
}

// WithRateLimit sets a ceiling for each Target: limit attempts a second, and burst at once after a pause. Calls beyond it stand
// in line, in the order in which they began; one that could not be answered before its deadline is refused at once with
// ErrRateLimited. Below it a rate is learned if the service throttles nevertheless. Default and rate.Inf: no limit.
func WithRateLimit(limit rate.Limit, burst int) Option {
	return optionFunc(func(c *config) {
		c.limit = c.checkLimit("WithRateLimit", limit, burst)
	})
}

// WithActionRateLimit sets the ceiling of one action, "DescribeInstances" or "cvm:DescribeInstances", in each region and for each
// account. It takes the place of WithRateLimit's.
func WithActionRateLimit(action string, limit rate.Limit, burst int) Option {
	return optionFunc(func(c *config) {
		if action == "" {
			c.reject(`WithActionRateLimit(""): the action must not be empty`)
		}
		c.actionLimits[action] = c.checkLimit(fmt.Sprintf("WithActionRateLimit(%q)", action), limit, burst)
	})
}

// Limiter is asked before an attempt. *rate.Limiter is one. It may be an Observer as well.
type Limiter interface {
	// Wait blocks until the attempt may be made. The context ends at the call's deadline, and CallStart knows when the call began.
	// Its error ends the call, as ErrRateLimited; a method RetryAfter() time.Duration of the error's gives CallError.RetryAfter.
	Wait(context.Context) error
}

// WithLimiter adds a limiter of the caller's for each Target, such as one shared with other processes. It is asked before each
// attempt, after the pacer. Newer is called when a target is first seen, and again if it was forgotten meanwhile, so it must
// give the same Limiter for the same Target; nil means no limiter for that target. It may be given several times; all are asked.
func WithLimiter(newer func(Target) Limiter) Option {
	return optionFunc(func(c *config) {
		if newer == nil {
			c.reject("WithLimiter(nil): must be a function")
			return
		}
		c.newLimiter = append(c.newLimiter, newer)
	})
}

// WithMaxWait bounds how long a call may stand in line for a rate limit, or a rate that was learned. A longer wait is refused at once,
// with ErrRateLimited; at a learned rate a little earlier, since that may be cut meanwhile.
// Default and zero: until the call's deadline.
func WithMaxWait(d time.Duration) Option {
	return optionFunc(func(c *config) {
		c.maxWait = c.checkDuration("WithMaxWait", d)
	})
}

// WithoutPacing switches off what is learned for each target from throttles, slow answers and faults. Throttled calls back off then
// like all others, also where a rate limit is set.
func WithoutPacing() Option {
	return optionFunc(func(c *config) { c.noPacing = true })
}

// WithBreaker configures the circuit breakers. Default: BreakerSettings{}.
func WithBreaker(settings BreakerSettings) Option {
	return optionFunc(func(c *config) {
		if !(settings.FailureRatio >= 0 && settings.FailureRatio <= 1) {
			c.reject("WithBreaker: FailureRatio %v: must be between 0 and 1", settings.FailureRatio)
		}
		settings.Window = c.checkDuration("WithBreaker: Window", settings.Window)
		settings.OpenFor = c.checkDuration("WithBreaker: OpenFor", settings.OpenFor)
		settings.HoldFor = c.checkDuration("WithBreaker: HoldFor", settings.HoldFor)
		c.breaker, c.noBreaker = settings, false
	})
}

// WithoutBreaker makes every call go through, however ill the endpoint.
func WithoutBreaker() Option {
	return optionFunc(func(c *config) { c.noBreaker = true })
}

// WithClassifier replaces Classify. WithCode has no effect then.
func WithClassifier(classifier Classifier) Option {
	return optionFunc(func(c *config) {
		if classifier == nil {
			c.reject("WithClassifier(nil): must be a function")
		}
		c.classifier = classifier
	})
}

// WithCode sets the verdict on an API error code and its sub-codes, unless a longer prefix of theirs says otherwise: another
// WithCode, or a code with an entry of its own in the table that ClassifyCode uses.
func WithCode(code string, verdict Verdict) Option {
	return optionFunc(func(c *config) {
		if code == "" {
			c.reject(`WithCode(""): the code must not be empty`)
		}
		if verdict.Class > ClassFatal {
			c.reject("WithCode(%q): no such class: %d", code, verdict.Class)
		}
		if verdict.RetryAfter < 0 {
			c.reject("WithCode(%q): RetryAfter %v: must not be negative", code, verdict.RetryAfter)
		}
		c.codes[code] = verdict
	})
}

// WithIdempotentActions names actions that may run twice. A pattern is that of path.Match and is compared with the action, or
// with "service:action" if it has a colon: "Modify*", "cvm:StartInstances". ContextWithIdempotent and WithNonIdempotentActions win.
func WithIdempotentActions(patterns ...string) Option {
	return optionFunc(func(c *config) {
		c.idempotency.idempotent = append(c.idempotency.idempotent, c.checkPatterns("WithIdempotentActions", patterns)...)
	})
}

// WithNonIdempotentActions names actions that must not run twice, whatever else speaks for it but ContextWithIdempotent. The
// patterns are as with WithIdempotentActions.
func WithNonIdempotentActions(patterns ...string) Option {
	return optionFunc(func(c *config) {
		c.idempotency.nonIdempotent = append(c.idempotency.nonIdempotent, c.checkPatterns("WithNonIdempotentActions", patterns)...)
	})
}

// WithHooks adds functions that are told what the Transport does. It may be given several times; all are called, in that order.
func WithHooks(hooks Hooks) Option {
	return optionFunc(func(c *config) { c.hooks = append(c.hooks, hooks) })
}

// WithLogger logs each attempt (Debug), retry and change of a learned rate (Info), and each refusal, change of a breaker, clock that
// is off and failure that was not retried (Warn; Debug if it is the caller's own) with action, region, code, RequestId, delay and
// reason, and never a header, query, body or key. Of one kind of warning about one target there is one a second at most; the next
// one says how many were left out (left_out). Default: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return optionFunc(func(c *config) {
		if logger == nil {
			c.reject("WithLogger(nil): must be a logger")
			return
		}
		c.hooks = append(c.hooks, logHooks(logger))
	})
}

// WithMaxInspect sets how many bytes of an answer are looked at for an envelope. A longer answer is taken for a success. Default
// 64 KiB, at most 1 GiB; zero means that no answer is looked at.
func WithMaxInspect(bytes int64) Option {
	return optionFunc(func(c *config) { c.maxInspect = c.checkBytes("WithMaxInspect", bytes) })
}

// WithMaxReplay sets how many bytes of a request's body are kept for another attempt where the request has no GetBody. A longer
// body is sent once. Default 10 MiB, at most 1 GiB; zero means that nothing is kept.
func WithMaxReplay(bytes int64) Option {
	return optionFunc(func(c *config) { c.maxReplay = c.checkBytes("WithMaxReplay", bytes) })
}
