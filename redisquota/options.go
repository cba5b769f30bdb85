package redisquota

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
)

// Option configures a Quota. A bad value is reported by New.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithLimit sets the fleet's limit for each Target: perSecond attempts a second by all processes together, and burst at once
// after a pause. Processes should agree on it; where they do not, each exchange goes by the value of the process that asks.
// Default: none, and the fleet learns the rate from what the service throttles.
func WithLimit(perSecond float64, burst int) Option {
	return optionFunc(func(c *config) { c.limit = c.checkLimit("WithLimit", perSecond, burst) })
}

// WithActionLimit sets the limit of one action, "DescribeInstances" or "cvm:DescribeInstances", in each region and for each
// account. It takes the place of WithLimit's.
func WithActionLimit(action string, perSecond float64, burst int) Option {
	return optionFunc(func(c *config) {
		if action == "" {
			c.reject(`WithActionLimit(""): the action must not be empty`)
		}
		c.actions[action] = c.checkLimit(fmt.Sprintf("WithActionLimit(%q)", action), perSecond, burst)
	})
}

// WithWeight sets this process's share among those that have calls waiting: one with weight 3 gets three times as much as one
// with weight 1, if it has calls enough waiting: those that its share would serve in half a second. What a process does not use goes
// to the others. Default 1, at most 100; keep the numbers of a fleet small, since at low rates a process may stand that many places
// deep in the fleet's line.
func WithWeight(weight int) Option {
	return optionFunc(func(c *config) {
		if weight < 1 || weight > maxWeight {
			c.reject("WithWeight(%d): must be between 1 and %d", weight, maxWeight)
		}
		c.weight = weight
	})
}

// WithTimeout bounds how long a call may wait for Redis: after that it goes on with this process's last known share. Default 50 ms.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) {
		if d <= 0 {
			c.reject("WithTimeout(%v): must be above 0", d)
		}
		c.timeout = d
	})
}

// WithMaxWait bounds how long a call may wait for its turn. A longer wait is refused at once, with tencenthttp.ErrRateLimited.
// Default and zero: until the call's deadline. (tencenthttp.WithMaxWait is about the transport's own line.)
func WithMaxWait(d time.Duration) Option {
	return optionFunc(func(c *config) {
		if d < 0 {
			c.reject("WithMaxWait(%v): must not be negative", d)
		}
		c.maxWait = d
	})
}

// WithPrefix sets what every key in Redis begins with. Quotas with different prefixes know nothing of each other. It must not
// contain a brace, which Redis Cluster would take for the beginning of a hash tag. Default "tencenthttp:".
func WithPrefix(prefix string) Option {
	return optionFunc(func(c *config) {
		for _, r := range prefix {
			if r == '{' || r == '}' {
				c.reject("WithPrefix(%q): must not contain a brace", prefix)
				break
			}
		}
		c.prefix = prefix
	})
}

// WithHook adds a function that is told when Redis is lost and when it is back, once for each change. It is called on a goroutine
// of the Quota's, with no lock held; it may be called while an earlier call of it still runs. All are called that were given.
func WithHook(hook func(ChangeInfo)) Option {
	return optionFunc(func(c *config) {
		if hook == nil {
			c.reject("WithHook(nil): must be a function")
			return
		}
		c.hooks = append(c.hooks, hook)
	})
}

// WithLogger logs what WithHook tells, a loss as Warn and the return as Info. Default: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return optionFunc(func(c *config) {
		if logger == nil {
			c.reject("WithLogger(nil): must be a logger")
			return
		}
		c.hooks = append(c.hooks, logChange(logger))
	})
}

const (
	defaultTimeout = 50 * time.Millisecond
	defaultPrefix  = "tencenthttp:"
	maxWeight      = 100
	maxRate        = 1e6 // attempts per second
)

// config is what the options set. It does not change once the Quota is made.
type config struct {
	limit   limit
	actions map[string]limit // by action or service:action
	weight  int
	timeout time.Duration
	maxWait time.Duration // zero: until the deadline
	prefix  string
	hooks   []func(ChangeInfo)

	problems []error
}

// limit is what one target may use. The zero limit is to be learned.
type limit struct {
	perSecond float64
	burst     int
}

func newConfig(client redis.UniversalClient, opts []Option) (config, error) {
	c := config{actions: map[string]limit{}, weight: 1, timeout: defaultTimeout, prefix: defaultPrefix}
	if client == nil {
		c.problems = append(c.problems, errNoClient)
	}
	for i, opt := range opts {
		if opt == nil {
			c.reject("option %d is nil", i+1)
			continue
		}
		opt.apply(&c)
	}
	return c, errors.Join(c.problems...)
}

func (c *config) reject(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("redisquota: "+format, args...))
}

func (c *config) checkLimit(name string, perSecond float64, burst int) limit {
	if !(perSecond > 0 && perSecond <= maxRate) { // NaN is not
		c.reject("%s: %v a second: must be above 0 and at most %v", name, perSecond, maxRate)
	}
	if burst < 1 || burst > math.MaxInt32 {
		c.reject("%s: burst %d: must be at least 1", name, burst)
	}
	return limit{perSecond, burst}
}

// limitFor returns the configured limit of a target.
func (c *config) limitFor(target tencenthttp.Target) limit {
	if l, ok := c.actions[target.Service+":"+target.Action]; ok {
		return l
	}
	if l, ok := c.actions[target.Action]; ok {
		return l
	}
	return c.limit
}

// changed tells all hooks.
func (c *config) changed(info ChangeInfo) {
	for _, hook := range c.hooks {
		hook(info)
	}
}
