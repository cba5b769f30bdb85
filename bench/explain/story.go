package explain

import (
	"context"
	"log/slog"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/bench/sim"
	"github.com/tencenthttp/tencenthttp/oteltencent"
	"github.com/tencenthttp/tencenthttp/status"
)

// Story is what could be seen of a storm.
type Story struct {
	Scenario sim.Scenario
	Result   *sim.Result
	Reports  []tencenthttp.CallReport // of all calls, in the order of their ends
	Log      []Line
	During   status.Snapshot // the page in the middle
	After    status.Snapshot // and at the end
	Metrics  metricdata.ResourceMetrics
	Trace    []sdktrace.ReadOnlySpan // of the call that had most attempts, of these the longest
}

// teller collects a Story while the storm goes on.
type teller struct {
	story      *Story
	page       *status.Page
	logger     *slog.Logger
	instrument tencenthttp.Option
	reader     *sdkmetric.ManualReader

	mu sync.Mutex
}

// Tell plays a scenario with a Transport that has its defaults and an attempt timeout of 10 s, and returns what was seen. The
// page is looked at during the storm at that time.
func Tell(bubble sim.Bubble, scenario sim.Scenario, at time.Duration) (*Story, error) {
	t := &teller{story: &Story{Scenario: scenario}, reader: sdkmetric.NewManualReader()}
	t.logger = slog.New(&recorder{teller: t})
	spans := newBusiest()
	t.instrument = oteltencent.Instrument(
		oteltencent.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(t.reader))),
		oteltencent.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
	)
	var problem error
	within := func(storm func()) {
		bubble(func() {
			t.page = status.New() // here, where time is virtual
			timer := time.AfterFunc(at, func() { t.story.During = t.page.Snapshot() })
			defer timer.Stop()
			storm()
			t.story.After = t.page.Snapshot()
			problem = t.reader.Collect(context.Background(), &t.story.Metrics)
		})
	}
	result, err := sim.Run(within, scenario, sim.Policy{Name: "ours", New: t.client}, 1)
	if err != nil {
		return nil, err
	}
	t.story.Result, t.story.Trace = result, spans.trace
	return t.story, problem
}

// client is a process of the fleet.
func (t *teller) client(site sim.Site) (sim.Client, error) {
	rt, err := tencenthttp.NewTransport(site.Base, t.page.Option(), t.instrument,
		tencenthttp.WithLogger(t.logger), tencenthttp.WithAttemptTimeout(10*time.Second))
	if err != nil {
		return nil, err
	}
	call := sim.Over(rt)
	return func(ctx context.Context) error {
		ctx, report := tencenthttp.ContextWithReport(ctx)
		err := call(ctx)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.story.Reports = append(t.story.Reports, report.Snapshot())
		return err
	}, nil
}
