package oteltencent

import (
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.38.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tencenthttp/tencenthttp"
)

// The attributes. Those that no semantic convention has are called tencentcloud.*.
const (
	serviceKey       = semconv.RPCServiceKey
	actionKey        = semconv.RPCMethodKey
	regionKey        = semconv.CloudRegionKey
	serverAddressKey = semconv.ServerAddressKey
	serverPortKey    = semconv.ServerPortKey
	errorTypeKey     = semconv.ErrorTypeKey
	resendKey        = semconv.HTTPRequestResendCountKey
	statusKey        = semconv.HTTPResponseStatusCodeKey
	methodKey        = semconv.HTTPRequestMethodKey

	requestIDKey = attribute.Key("tencentcloud.request_id")
	reasonKey    = attribute.Key("tencentcloud.reason")   // why the call ended, or the attempt was refused: tencenthttp.Reason
	resultKey    = attribute.Key("tencentcloud.result")   // success, throttled, fault or failure
	attemptsKey  = attribute.Key("tencentcloud.attempts") // how many there were
	attemptKey   = attribute.Key("tencentcloud.attempt")  // which one, from 1
	waitKey      = attribute.Key("tencentcloud.wait")     // what was waited for: tencenthttp.Activity
	delayKey     = attribute.Key("tencentcloud.delay")    // in seconds
	breakerKey   = attribute.Key("tencentcloud.breaker")  // its state
	causeKey     = attribute.Key("tencentcloud.cause")    // why a rate changed: tencenthttp.RateCause
	rateKey      = attribute.Key("tencentcloud.rate")     // in attempts per second
)

// startOptions are those of a call's span.
func startOptions(target tencenthttp.Target, kind trace.SpanKind) []trace.SpanStartOption {
	return []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(
		semconv.RPCSystemKey.String("tencentcloud"),
		serviceKey.String(target.Service), actionKey.String(target.Action), regionKey.String(target.Region),
	)}
}

func serverAttrs(host string) []attribute.KeyValue {
	address, port, err := net.SplitHostPort(host)
	if err != nil {
		return []attribute.KeyValue{serverAddressKey.String(host)}
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return []attribute.KeyValue{serverAddressKey.String(address)}
	}
	return []attribute.KeyValue{serverAddressKey.String(address), serverPortKey.Int(number)}
}

// attemptSpan returns the options of an attempt's span. Those of a first attempt are always the same.
func (t *telemetry) attemptSpan(c *call, info tencenthttp.SendInfo) []trace.SpanStartOption {
	if t.spansBelow {
		if info.Attempt == 1 {
			return internalSpan
		}
		return append(internalSpan[:1:1], trace.WithAttributes(attemptKey.Int(info.Attempt)))
	}
	options := c.target.attemptSpan
	if info.Host != info.Target.Host { // WithFailover
		options = append(options[:1:1], trace.WithAttributes(append(serverAttrs(info.Host), methodKey.String(info.Method))...))
	}
	if info.Attempt > 1 {
		options = append(options[:len(options):len(options)], trace.WithAttributes(resendKey.Int(info.Attempt-1)))
	}
	return options
}

var internalSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindInternal)}

// describeAttempt adds what came of the attempt.
func (t *telemetry) describeAttempt(span trace.Span, info tencenthttp.AttemptInfo) {
	attrs := make([]attribute.KeyValue, 0, 4)
	if info.StatusCode > 0 && !t.spansBelow {
		attrs = append(attrs, statusKey.Int(info.StatusCode))
	}
	if info.RequestID != "" {
		attrs = append(attrs, requestIDKey.String(info.RequestID))
	}
	if failure := info.Failure(); failure != "" {
		attrs = append(attrs, resultKey.String(resultOf(info)), errorTypeKey.String(errorType(info)))
		span.SetStatus(codes.Error, failure)
	}
	span.SetAttributes(attrs...)
}

// describeCall adds how the call ended. That it went well at once is not said again: the attempt's span has the RequestId, and what
// a span is told after its beginning costs as much as all before.
func describeCall(span trace.Span, info tencenthttp.DoneInfo) {
	if info.Attempts == 1 && info.Reason == tencenthttp.ReasonSuccess {
		return
	}
	attrs := make([]attribute.KeyValue, 0, 4)
	attrs = append(attrs, reasonKey.String(string(info.Reason)), attemptsKey.Int(info.Attempts))
	if info.RequestID != "" {
		attrs = append(attrs, requestIDKey.String(info.RequestID))
	}
	if info.Reason != tencenthttp.ReasonSuccess {
		attrs = append(attrs, errorTypeKey.String(callErrorType(info)))
		span.SetStatus(codes.Error, string(info.Reason))
	}
	span.SetAttributes(attrs...)
}
