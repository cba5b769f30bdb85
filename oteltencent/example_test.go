package oteltencent_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func ExampleInstrument() {
	spans := tracetest.NewSpanRecorder() // your exporter
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))

	api := tctest.New(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded")))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), oteltencent.Instrument(oteltencent.WithTracerProvider(provider)))
	if err != nil {
		log.Fatal(err)
	}
	if err := call(context.Background(), rt, "DescribeInstances"); err != nil {
		log.Fatal(err)
	}
	for _, span := range spans.Ended() {
		fmt.Println(span.SpanKind(), span.Name(), span.Status().Code)
	}
	// Output:
	// client POST Error
	// client POST Unset
	// client cvm/DescribeInstances Unset
}
