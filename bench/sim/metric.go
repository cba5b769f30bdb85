package sim

import (
	"math"
	"slices"
	"time"
)

// Metric is one number of a Result, or of several results their median. NaN means that there is none.
type Metric struct {
	// Name is a column of the CSV, Title one of the table.
	Name, Title string
	// Percent says that the table shows hundredths. Digits is how many it shows after the point.
	Percent bool
	Digits  int
	Of      func(*Result) float64
}

// Metrics returns all of them, in the order of the table.
func Metrics() []Metric {
	return []Metric{
		{Name: "ok", Title: "OK", Of: func(r *Result) float64 { return float64(r.OK) }},
		{Name: "failed", Title: "failed", Of: func(r *Result) float64 { return float64(r.Failed) }},
		{Name: "ok_of_limit", Title: "OK/limit", Percent: true, Digits: 1, Of: okOfLimit},
		{Name: "sent", Title: "sent", Of: func(r *Result) float64 { return float64(r.Sent) }},
		{Name: "throttled", Title: "throttled", Of: func(r *Result) float64 { return float64(r.Throttled) }},
		{Name: "wasted_after_3s", Title: "wasted>3s", Percent: true, Digits: 1, Of: wasted},
		{Name: "makespan_s", Title: "makespan", Digits: 1, Of: makespan},
		{Name: "makespan_of_limit", Title: "x limit", Digits: 3, Of: makespanOfLimit},
		{Name: "p50_s", Title: "p50 s", Digits: 2, Of: func(r *Result) float64 { return quantile(r.Succeeded, .5) }},
		{Name: "p99_s", Title: "p99 s", Digits: 2, Of: func(r *Result) float64 { return quantile(r.Succeeded, .99) }},
		{Name: "failed_p50_s", Title: "fail p50", Digits: 3, Of: func(r *Result) float64 { return quantile(r.Refused, .5) }},
		{Name: "failed_p99_s", Title: "fail p99", Digits: 3, Of: func(r *Result) float64 { return quantile(r.Refused, .99) }},
		{Name: "disturbed_requests_per_call", Title: "req/call", Digits: 2, Of: disturbed(func(d *Disturbance) float64 { return d.PerCall })},
		{Name: "disturbed_capacity_used", Title: "used", Percent: true, Digits: 1, Of: disturbed(func(d *Disturbance) float64 { return d.Used })},
		{Name: "first_ok_s", Title: "first OK", Digits: 2, Of: disturbed(func(d *Disturbance) float64 { return sinceEnd(d.FirstOK) })},
		{Name: "recovery_s", Title: "recovered", Digits: 2, Of: disturbed(func(d *Disturbance) float64 { return sinceEnd(d.Recovery) })},
		{Name: "least_share_60s", Title: "least share", Percent: true, Of: leastShare},
	}
}

// okOfLimit and makespan are for open and closed loads alone: nothing else can differ there.
func okOfLimit(r *Result) float64 {
	if r.Closed {
		return math.NaN()
	}
	return float64(r.OK) / float64(r.Limit.OK)
}

func makespan(r *Result) float64 {
	switch {
	case !r.Closed:
		return math.NaN()
	case r.Left > 0:
		return math.Inf(1)
	}
	return r.Makespan.Seconds()
}

func makespanOfLimit(r *Result) float64 { return makespan(r) / r.Limit.Makespan.Seconds() }

func wasted(r *Result) float64 { return float64(r.ThrottledLater) / float64(r.SentLater) }

func leastShare(r *Result) float64 {
	if len(r.Shares) < 2 {
		return math.NaN()
	}
	return r.Least()
}

func disturbed(of func(*Disturbance) float64) func(*Result) float64 {
	return func(r *Result) float64 {
		if r.Disturbance == nil {
			return math.NaN()
		}
		return of(r.Disturbance)
	}
}

// sinceEnd is in seconds; what never happens takes infinitely long.
func sinceEnd(d time.Duration) float64 {
	if d < 0 {
		return math.Inf(1)
	}
	return d.Seconds()
}

// quantile takes the nearest rank.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)].Seconds()
}

// Median returns the metric's median over the results, leaving out those without one.
func (m Metric) Median(results []*Result) float64 {
	var values []float64
	for _, r := range results {
		if v := m.Of(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 || math.IsInf(values[middle], 1) {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
