package sim

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
)

// cause puts an error into a few words that many errors share: those of Explain, if it was explained.
func cause(err error) string {
	if named, ok := errors.AsType[*explained](err); ok {
		return named.words
	}
	if outer, ok := errors.AsType[*url.Error](err); ok { // repeats the address
		err = outer.Err
	}
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure.Error()
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

// explained is an error whose client knows why it came to it.
type explained struct {
	error
	words string
}

func (e *explained) Unwrap() error { return e.error }

// Explain returns the error of a call with the words under which it is to be counted among the causes.
func Explain(err error, words string) error { return &explained{err, words} }
