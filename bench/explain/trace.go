package explain

import (
	"cmp"
	"context"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// busiest is a SpanProcessor that keeps the trace with most spans, of these the longest, and forgets the others.
type busiest struct {
	mu    sync.Mutex
	open  map[trace.TraceID][]sdktrace.ReadOnlySpan
	trace []sdktrace.ReadOnlySpan
	took  time.Duration
}

func newBusiest() *busiest { return &busiest{open: map[trace.TraceID][]sdktrace.ReadOnlySpan{}} }

// OnStart implements sdktrace.SpanProcessor.
func (b *busiest) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor. The span without a parent ends last.
func (b *busiest) OnEnd(span sdktrace.ReadOnlySpan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := span.SpanContext().TraceID()
	b.open[id] = append(b.open[id], span)
	if span.Parent().IsValid() {
		return
	}
	took, spans := span.EndTime().Sub(span.StartTime()), b.open[id]
	if cmp.Or(cmp.Compare(len(spans), len(b.trace)), cmp.Compare(took, b.took)) > 0 {
		b.trace, b.took = spans, took
	}
	delete(b.open, id)
}

// Shutdown implements sdktrace.SpanProcessor.
func (b *busiest) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (b *busiest) ForceFlush(context.Context) error { return nil }
