package oteltencent

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"

	"github.com/tencenthttp/tencenthttp"
)

// resultOf says what an attempt means to the one who made it: success, throttled, fault, or failure, which is the caller's own.
func resultOf(info tencenthttp.AttemptInfo) string {
	switch {
	case info.Verdict.Throttled:
		return "throttled"
	case info.Verdict.Fault:
		return "fault"
	case info.Failure() != "":
		return "failure"
	}
	return "success"
}

// errorType returns error.type of an attempt: the API's code, else the HTTP status, else what kept the answer away. It is one of
// few values but for the codes.
func errorType(info tencenthttp.AttemptInfo) string {
	switch {
	case info.Code != "":
		return info.Code
	case info.Err != nil:
		return errorKind(info.Err)
	}
	return strconv.Itoa(info.StatusCode)
}

// callErrorType returns error.type of a call: the last code, else the HTTP status, else why there was no answer.
func callErrorType(info tencenthttp.DoneInfo) string {
	switch {
	case info.Code != "":
		return info.Code
	case info.StatusCode >= 400:
		return strconv.Itoa(info.StatusCode)
	case info.Refused:
		return string(info.Reason)
	}
	return errorKind(info.Err)
}

// errorKind puts an error into one of a few kinds, by its type.
func errorKind(err error) string {
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return "timeout"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "dns"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection_refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection_lost"
	case errors.Is(err, tencenthttp.ErrBreakerOpen):
		return "breaker open"
	case errors.Is(err, tencenthttp.ErrRateLimited):
		return "rate limited"
	}
	return other
}
