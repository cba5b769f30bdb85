package policy

import "time"

// Rules are what every policy is told to do, as far as it can.
type Rules struct {
	Attempts               int
	BackoffMin, BackoffMax time.Duration
	AttemptTimeout         time.Duration
	Breaker                Breaker
}

// Breaker opens for OpenFor when FailureRatio of at least MinCalls requests within Window have failed.
type Breaker struct {
	FailureRatio    float64
	MinCalls        uint
	Window, OpenFor time.Duration
}

// DefaultRules are those of all comparisons.
func DefaultRules() Rules {
	return Rules{
		Attempts:   4,
		BackoffMin: 250 * time.Millisecond, BackoffMax: 8 * time.Second,
		AttemptTimeout: 5 * time.Second,
		Breaker:        Breaker{FailureRatio: .5, MinCalls: 20, Window: 10 * time.Second, OpenFor: 5 * time.Second},
	}
}
