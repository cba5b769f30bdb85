package tencenthttp

import (
	"context"
	"errors"
	"time"
)

// Observer is a Limiter, given by WithLimiter, that learns from what becomes of the attempts it has let pass. The transport then
// leaves that Target's rate to it and learns none of its own. A throttled attempt then waits for its next turn in the limiter as it
// does for one at a rate that the transport has learned, without a backoff; with WithoutPacing it backs off.
type Observer interface {
	// Observe is told of each attempt for the limiter's Target after it was judged. It began AttemptInfo.Latency ago. The call
	// waits for Observe, so it must not block, and it may be called for several attempts at once.
	Observe(context.Context, AttemptInfo)
}

// CallStart returns when the call began for which a Limiter's Wait was given ctx, so that callers can be let pass in that order:
// a retry keeps the place of its call. Zero if ctx is not such a context.
func CallStart(ctx context.Context) time.Time {
	start, _ := ctx.Value(callStartKey{}).(time.Time)
	return start
}

type callStartKey struct{}

func withCallStart(ctx context.Context, start time.Time) context.Context {
	return context.WithValue(ctx, callStartKey{}, start)
}

// observersOf returns those limiters that learn.
func observersOf(limiters []Limiter) []Observer {
	var observers []Observer
	for _, limiter := range limiters {
		if observer, ok := limiter.(Observer); ok {
			observers = append(observers, observer)
		}
	}
	return observers
}

// retryAfterOf returns how long a limiter's error says that the wait would have been; zero if it does not say.
func retryAfterOf(err error) time.Duration {
	if wait, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		return max(0, wait.RetryAfter())
	}
	return 0
}
