package oteltencent

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tencenthttp/tencenthttp"
)

const scope = "github.com/tencenthttp/tencenthttp/oteltencent"

// Option configures Instrument.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	maxTargets int
	spansBelow bool
}

// WithTracerProvider sets where the spans go. Default: the global provider.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return optionFunc(func(c *config) { c.tracers = provider })
}

// WithMeterProvider sets where the metrics go. Default: the global provider.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c *config) { c.meters = provider })
}

// WithMaxTargets sets how many triples of service, action and region have time series of their own, and how many endpoints. All
// others share one series, _OTHER. Default 100; below 1 means 1. OpenTelemetry's SDK has a limit of its own, 2,000 sets of attributes for
// each instrument, which 100 targets cannot reach: 14 reasons make 1,414 sets for tencentcloud.client.calls.
func WithMaxTargets(n int) Option {
	return optionFunc(func(c *config) { c.maxTargets = max(1, n) })
}

// WithSpansBelow says that the base RoundTripper makes a client span for every request, as otelhttp does.
func WithSpansBelow() Option {
	return optionFunc(func(c *config) { c.spansBelow = true })
}

// Instrument returns an option for tencenthttp.NewTransport that makes spans and metrics of its calls. Transports that share a
// MeterProvider should share the option too, or else one of them overwrites the other's gauges. What goes wrong while
// instruments are made is told to otel.Handle. A Transport that is no longer used is not kept alive.
func Instrument(opts ...Option) tencenthttp.Option {
	c := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), maxTargets: 100}
	for _, opt := range opts {
		opt.apply(&c)
	}
	return tencenthttp.WithHooks(newTelemetry(c).hooks())
}

// telemetry is what one Instrument has set up.
type telemetry struct {
	tracer     trace.Tracer
	meter      metric.Meter
	targets    *targets
	spansBelow bool
	instruments
	gauges
}

func newTelemetry(c config) *telemetry {
	t := &telemetry{
		tracer:     c.tracers.Tracer(scope),
		meter:      c.meters.Meter(scope),
		targets:    newTargets(c.maxTargets),
		spansBelow: c.spansBelow,
	}
	t.makeInstruments()
	return t
}

func (t *telemetry) hooks() tencenthttp.Hooks {
	return tencenthttp.Hooks{
		Install: t.install, Start: t.start, Send: t.send, Attempt: t.attempt, Retry: t.retry, Refusal: t.refusal,
		BreakerChange: t.breakerChange, RateChange: t.rateChange, Done: t.done,
	}
}
