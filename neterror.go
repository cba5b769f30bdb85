package tencenthttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// classifyError judges an attempt that got no answer, by the types of its error. The question is always the same: can the
// request have reached the service, and will it ever?
func classifyError(o Outcome) Verdict {
	unreachable := Verdict{Class: ClassRetryable, Fault: true}
	switch {
	case callerGaveUp(o):
		return Verdict{Class: ClassFatal}
	case errors.Is(o.Err, ErrBreakerOpen), errors.Is(o.Err, ErrRateLimited): // from a Transport below: it has done what there is to do
		return Verdict{Class: ClassFatal}
	case isHopeless(o.Err), o.Request != nil && isMalformed(o.Request):
		return Verdict{Class: ClassFatal}
	case wasUnsent(o.Err):
		return unreachable
	}
	return Verdict{Class: ClassIdempotent, Fault: true} // it may have run, and its answer was lost
}

// callerGaveUp tells a caller's cancel or deadline from an attempt's own timeout, which leaves the caller's context alone.
func callerGaveUp(o Outcome) bool {
	return o.Request != nil && canceled(o.Request) || errors.Is(o.Err, context.Canceled)
}

// isHopeless tells errors that the next attempt would meet again: the name, the certificate or the protocol is wrong.
func isHopeless(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	return is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) ||
		is[tls.AlertError](err) || is[*tls.ECHRejectionError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err) ||
		is[x509.SystemRootsError](err) || is[x509.InsecureAlgorithmError](err) ||
		is[*net.AddrError](err) || is[*net.ParseError](err) || is[net.UnknownNetworkError](err) || is[net.InvalidAddrError](err) ||
		errors.Is(err, http.ErrSchemeMismatch)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// wasUnsent tells errors that say that the service did not get the request, or not to work on.
func wasUnsent(err error) bool {
	if is[*unsentError](err) || is[*net.DNSError](err) {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	// RFC 9113, 8.7: a refused stream was not processed at all.
	stream, ok := errors.AsType[http2StreamError](err)
	return ok && stream.Code == http2RefusedStream
}

const http2RefusedStream = 0x7

// http2StreamError has the form that net/http's own, unexported stream error lets itself be converted to by errors.As.
type http2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e http2StreamError) Error() string { return "http2 stream error" }

// isMalformed tells requests that net/http refuses before it does anything, with errors that have no type.
func isMalformed(req *http.Request) bool {
	if req.URL == nil || req.Header == nil || req.URL.Host == "" {
		return true
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return true
	}
	if req.Method != "" && !isToken(req.Method) {
		return true
	}
	for name, values := range req.Header {
		if !isToken(name) {
			return true
		}
		for _, value := range values {
			if strings.ContainsFunc(value, isControl) {
				return true
			}
		}
	}
	return false
}

// isToken is RFC 9110, 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// isControl is what RFC 9110, 5.5 forbids in a field's value.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
