package sim

import (
	"context"
	"errors"
	"net"
	"strings"
)

// cause puts an error into a few words that many errors share.
func cause(err error) string {
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure.Error()
	}
	if named, ok := errors.AsType[*labeled](err); ok {
		return named.label
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "deadline"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "attempt timeout"
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// labeled is an error whose client has words for it.
type labeled struct {
	error
	label string
}

func (l *labeled) Unwrap() error { return l.error }

// Labeled returns a client whose failures are counted under the words that label finds for them; empty: the usual ones.
func Labeled(client Client, label func(error) string) Client {
	return func(ctx context.Context) error {
		err := client(ctx)
		if err == nil {
			return nil
		}
		if words := label(err); words != "" {
			return &labeled{err, words}
		}
		return err
	}
}
