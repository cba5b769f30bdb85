package oteltencent

import (
	"context"
	"runtime"
	"sync"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
)

// instruments are those that the hooks write to.
type instruments struct {
	calls, attempts, retries, refusals, breakerChanges, rateChanges metric.Int64Counter
	waitTime                                                        metric.Float64Counter
	callDuration, attemptDuration                                   metric.Float64Histogram
}

// seconds are the buckets of durations: from an answer on a good day to a call that has waited for its whole deadline.
var seconds = metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60)

func (t *telemetry) makeInstruments() {
	counter := func(name, unit, description string) metric.Int64Counter {
		made, err := t.meter.Int64Counter("tencentcloud.client."+name, metric.WithUnit(unit), metric.WithDescription(description))
		handle(err)
		return made
	}
	duration := func(name, description string) metric.Float64Histogram {
		made, err := t.meter.Float64Histogram("tencentcloud.client."+name, metric.WithUnit("s"), metric.WithDescription(description), seconds)
		handle(err)
		return made
	}
	t.calls = counter("calls", "{call}", "Calls that have ended, by the reason why there was no further attempt.")
	t.attempts = counter("attempts", "{attempt}", "Requests that were sent, by what came of them.")
	t.retries = counter("retries", "{retry}", "Decisions to send a call again, by the error that caused them.")
	t.refusals = counter("refusals", "{refusal}", "Attempts that were not made, by what forbade them.")
	t.breakerChanges = counter("breaker.changes", "{change}", "Changes of a breaker's state, by the new one.")
	t.rateChanges = counter("rate.changes", "{change}", "Notable changes of a learned rate, by their cause.")
	t.callDuration = duration("call.duration", "From the beginning of a call to its answer, waits and all attempts included.")
	t.attemptDuration = duration("attempt.duration", "From sending one request to the look at its answer.")
	var err error
	t.waitTime, err = t.meter.Float64Counter("tencentcloud.client.wait.time", metric.WithUnit("s"),
		metric.WithDescription("Time that calls have waited, by what they waited for."))
	handle(err)
	t.makeGauges(t.meter)
}

func handle(err error) {
	if err != nil {
		otel.Handle(err)
	}
}

// gauges are read from the Transports when somebody collects them.
type gauges struct {
	breaker, queue metric.Int64ObservableGauge
	limit          metric.Float64ObservableGauge

	mu         sync.Mutex
	transports []weak.Pointer[tencenthttp.Transport]
	registered metric.Registration // while there are any
}

func (g *gauges) makeGauges(meter metric.Meter) {
	var err error
	g.breaker, err = meter.Int64ObservableGauge("tencentcloud.client.breaker.state",
		metric.WithDescription("State of an endpoint's breaker: 0 closed, 1 half-open, 2 open."))
	handle(err)
	g.queue, err = meter.Int64ObservableGauge("tencentcloud.client.queue.length", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that wait for their turn."))
	handle(err)
	g.limit, err = meter.Float64ObservableGauge("tencentcloud.client.rate.limit", metric.WithUnit("{attempt}/s"),
		metric.WithDescription("Attempts that may be made in a second, configured or learned; without a limit there is no value."))
	handle(err)
}

// install begins to observe a Transport, until nobody uses it any more.
func (t *telemetry) install(rt *tencenthttp.Transport) {
	t.gauges.mu.Lock()
	defer t.gauges.mu.Unlock()
	pointer := weak.Make(rt)
	t.transports = append(t.transports, pointer)
	if t.registered == nil {
		registration, err := t.meter.RegisterCallback(t.observe, t.breaker, t.queue, t.limit)
		handle(err)
		t.registered = registration
	}
	runtime.AddCleanup(rt, t.forget, pointer)
}

func (g *gauges) forget(gone weak.Pointer[tencenthttp.Transport]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.transports[:0]
	for _, pointer := range g.transports {
		if pointer != gone {
			kept = append(kept, pointer)
		}
	}
	g.transports = kept
	if len(kept) == 0 && g.registered != nil {
		handle(g.registered.Unregister())
		g.registered = nil
	}
}

func (g *gauges) stats() []tencenthttp.TargetStats {
	g.mu.Lock()
	pointers := append([]weak.Pointer[tencenthttp.Transport](nil), g.transports...)
	g.mu.Unlock()
	var all []tencenthttp.TargetStats
	for _, pointer := range pointers {
		if rt := pointer.Value(); rt != nil {
			all = append(all, rt.Stats()...)
		}
	}
	return all
}

// observe adds up what shares a series: targets that differ in account or host, and all that are _OTHER. Of breakers it is the
// worst that counts.
func (t *telemetry) observe(_ context.Context, o metric.Observer) error {
	waiting, breakers := map[*labelled]int64{}, map[*labelled]int64{}
	limits := map[*labelled]float64{}
	for _, s := range t.stats() {
		target := t.targets.labels(s.Target)
		waiting[target] += int64(s.Waiting)
		if s.Limit < rate.Inf {
			limits[target] += float64(s.Limit)
		}
		endpoint := t.targets.endpoint(s.Target.Host, s.Target.Region)
		breakers[endpoint] = max(breakers[endpoint], int64(s.Breaker))
	}
	for labels, n := range waiting {
		o.ObserveInt64(t.queue, n, labels.alone)
	}
	for labels, limit := range limits {
		o.ObserveFloat64(t.limit, limit, labels.alone)
	}
	for labels, state := range breakers {
		o.ObserveInt64(t.breaker, state, labels.alone)
	}
	return nil
}
