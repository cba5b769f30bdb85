package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
	"github.com/tencenthttp/tencenthttp/status"
)

// dashboard is a client of the fake cloud with everything on that makes it visible.
type dashboard struct {
	cloud   *cloud
	rt      *tencenthttp.Transport
	page    *status.Page
	handler http.Handler
	tracer  *trace.TracerProvider
	meters  *sdkmetric.MeterProvider
}

// newDashboard sets everything up. Traces go to the processors, which may be none.
func newDashboard(cycle time.Duration, logger *slog.Logger, processors ...trace.TracerProviderOption) (*dashboard, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	d := &dashboard{
		cloud:  newCloud(cycle),
		page:   status.New(status.WithTitle("tencenthttp in a storm"), status.WithRefresh(2*time.Second)),
		tracer: trace.NewTracerProvider(processors...),
		meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)),
	}
	d.rt, err = tencenthttp.NewTransport(
		d.cloud.Transport(),
		d.page.Option(),
		oteltencent.Instrument(oteltencent.WithTracerProvider(d.tracer), oteltencent.WithMeterProvider(d.meters)),
		tencenthttp.WithLogger(logger),
		tencenthttp.WithSigner(tencenthttp.TC3Signer(tencenthttp.StaticCredentials(secretID, secretKey, ""))),
		tencenthttp.WithActionRateLimit("DescribeZones", 10, 5), // told; of the others nothing is known
		tencenthttp.WithMaxWait(3*time.Second),
		tencenthttp.WithRetryBudget(0.1, 1), // small, so that it can be seen empty
		tencenthttp.WithAttemptTimeout(2*time.Second),
		tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 10, Window: 3 * time.Second, OpenFor: 3 * time.Second}),
	)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /debug/tencenthttp", d.page)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	d.handler = mux
	return d, nil
}

// close ends everything, calls under way included.
func (d *dashboard) close() {
	d.cloud.Close()
	d.rt.CloseIdleConnections()
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	_ = d.tracer.Shutdown(ctx) // what is not sent by then is lost: this is a demonstration
	_ = d.meters.Shutdown(ctx)
}
