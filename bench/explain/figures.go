package explain

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tencenthttp/tencenthttp"
)

// Figures are numbers by name.
type Figures map[string]float64

// Names returns the names, the largest number first.
func (f Figures) Names() []string {
	return slices.SortedFunc(maps.Keys(f), func(a, b string) int { return cmp.Or(cmp.Compare(f[b], f[a]), strings.Compare(a, b)) })
}

// Metric returns the values of a counter by the value of one attribute.
func (s *Story) Metric(name, attribute string) Figures {
	found := Figures{}
	for _, scope := range s.Metrics.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "tencentcloud.client."+name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				addAll(found, attribute, data.DataPoints)
			case metricdata.Sum[float64]:
				addAll(found, attribute, data.DataPoints)
			}
		}
	}
	return found
}

func addAll[N int64 | float64](found Figures, attribute string, points []metricdata.DataPoint[N]) {
	for _, point := range points {
		for _, attr := range point.Attributes.ToSlice() {
			if string(attr.Key) == attribute {
				found[attr.Value.AsString()] += float64(point.Value)
			}
		}
	}
}

// Lines counts the log's lines by level, message and reason.
func (s *Story) Lines() Figures {
	found := Figures{}
	for _, line := range s.Log {
		found[strings.TrimSpace(line.Level.String()+" "+line.Message+" "+line.Reason)]++
	}
	return found
}

// Slowest returns the report of the call that took longest, of those that ended for that reason.
func (s *Story) Slowest(reason tencenthttp.Reason) (slowest tencenthttp.CallReport, found bool) {
	for _, report := range s.Reports {
		if report.Reason == reason && (!found || report.Elapsed > slowest.Elapsed) {
			slowest, found = report, true
		}
	}
	return slowest, found
}
