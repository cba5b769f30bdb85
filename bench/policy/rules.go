package policy

import (
	"time"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Rules are what every policy is told to do, as far as it can.
type Rules struct {
	Attempts       int          `yaml:"attempts" usage:"requests that one call may make"`
	Backoff        Backoff      `yaml:"backoff"`
	AttemptTimeout sim.Duration `yaml:"attemptTimeout" usage:"how long a request may take"`
	Breaker        Breaker      `yaml:"breaker"`
}

// Backoff is the delay before a retry: at first up to Min, then twice as much each time, up to Max.
type Backoff struct {
	Min sim.Duration `yaml:"min" usage:"the first delay before a retry"`
	Max sim.Duration `yaml:"max" usage:"the longest delay before a retry"`
}

// Breaker opens for OpenFor when FailureRatio of at least MinCalls requests within Window have failed.
type Breaker struct {
	FailureRatio float64      `yaml:"failureRatio" usage:"share of failures that opens the breaker"`
	MinCalls     int          `yaml:"minCalls" usage:"requests in the window below which it stays closed"`
	Window       sim.Duration `yaml:"window" usage:"the time that it looks back"`
	OpenFor      sim.Duration `yaml:"openFor" usage:"how long it stays open"`
}

// DefaultRules are those of all comparisons.
func DefaultRules() Rules {
	const ms, s = sim.Duration(time.Millisecond), sim.Duration(time.Second)
	return Rules{
		Attempts:       4,
		Backoff:        Backoff{Min: 250 * ms, Max: 8 * s},
		AttemptTimeout: 5 * s,
		Breaker:        Breaker{FailureRatio: .5, MinCalls: 20, Window: 10 * s, OpenFor: 5 * s},
	}
}
