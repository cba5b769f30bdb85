package explain

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The picture's measures, in pixels.
const (
	textWidth = 330
	barWidth  = 620
	rowHeight = 30
)

// Waterfall draws a trace as SVG: a row for each span, with its events as ticks, and a list of these.
func Waterfall(spans []sdktrace.ReadOnlySpan) string {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b sdktrace.ReadOnlySpan) int {
		return cmp.Or(cmp.Compare(depth(a), depth(b)), a.StartTime().Compare(b.StartTime()))
	})
	root := spans[0]
	whole := root.EndTime().Sub(root.StartTime())
	at := func(t time.Time) float64 {
		return textWidth + barWidth*float64(t.Sub(root.StartTime()))/float64(max(1, whole))
	}
	var b strings.Builder
	height := rowHeight*len(spans) + 24*len(root.Events()) + 50
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="13">`+"\n", textWidth+barWidth+20, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, span := range spans {
		y := 12 + i*rowHeight
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#1c2330">%s</text>`+"\n", 12+14*depth(span), y+15, html.EscapeString(title(span)))
		x := at(span.StartTime())
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="18" rx="2" fill="%s"/>`+"\n", x, y+1, max(2, at(span.EndTime())-x), colour(span))
		for _, event := range span.Events() {
			fmt.Fprintf(&b, `<path d="M%.1f %dv22" stroke="#1c2330"/>`+"\n", at(event.Time), y-1)
		}
	}
	y := 12 + len(spans)*rowHeight
	fmt.Fprintf(&b, `<text x="12" y="%d" fill="#5c6675">events of %s, in %v</text>`+"\n", y+16, html.EscapeString(root.Name()), whole.Round(time.Millisecond))
	for i, event := range root.Events() {
		var attrs []string
		for _, attr := range event.Attributes {
			value := attr.Value.String()
			if attr.Value.Type() == attribute.FLOAT64 { // in seconds
				value = strconv.FormatFloat(attr.Value.AsFloat64(), 'f', 3, 64)
			}
			attrs = append(attrs, strings.TrimPrefix(string(attr.Key), "tencentcloud.")+"="+value)
		}
		fmt.Fprintf(&b, `<text x="26" y="%d" fill="#1c2330">%v  %s  <tspan fill="#5c6675">%s</tspan></text>`+"\n", y+40+i*24,
			event.Time.Sub(root.StartTime()).Round(time.Millisecond), event.Name, html.EscapeString(strings.Join(attrs, " ")))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func depth(span sdktrace.ReadOnlySpan) int {
	if span.Parent().IsValid() {
		return 1
	}
	return 0
}

// title names a call's span with the reason of its end, and an attempt's with its error.
func title(span sdktrace.ReadOnlySpan) string {
	key := attribute.Key("error.type")
	if depth(span) == 0 {
		key = "tencentcloud.reason"
	}
	for _, attr := range span.Attributes() {
		if attr.Key == key {
			return span.Name() + " · " + attr.Value.String()
		}
	}
	return span.Name()
}

func colour(span sdktrace.ReadOnlySpan) string {
	for _, attr := range span.Attributes() {
		if attr.Key == "tencentcloud.result" {
			return map[string]string{"throttled": "#f0a30a", "fault": "#d64545", "failure": "#8d6cab"}[attr.Value.String()]
		}
	}
	if depth(span) == 0 {
		return "#b8c2cf"
	}
	return "#6fa8dc"
}
