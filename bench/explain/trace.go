package explain

import (
	"context"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// longest is a SpanProcessor that keeps the trace which took longest, and forgets the others.
type longest struct {
	mu    sync.Mutex
	open  map[trace.TraceID][]sdktrace.ReadOnlySpan
	trace []sdktrace.ReadOnlySpan
	took  time.Duration
}

func newLongest() *longest { return &longest{open: map[trace.TraceID][]sdktrace.ReadOnlySpan{}} }

// OnStart implements sdktrace.SpanProcessor.
func (l *longest) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor. The span without a parent ends last.
func (l *longest) OnEnd(span sdktrace.ReadOnlySpan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := span.SpanContext().TraceID()
	l.open[id] = append(l.open[id], span)
	if span.Parent().IsValid() {
		return
	}
	if took := span.EndTime().Sub(span.StartTime()); took > l.took {
		l.trace, l.took = l.open[id], took
	}
	delete(l.open, id)
}

// Shutdown implements sdktrace.SpanProcessor.
func (l *longest) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (l *longest) ForceFlush(context.Context) error { return nil }
