package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// printTable prints the medians of each policy's results, and the columns in which any of them has something to say.
func printTable(w io.Writer, s sim.Scenario, results [][]*sim.Result) {
	fmt.Fprintf(w, "\n%s: %s\nphysical limit: %s\n", s.Name, s.Title, describe(s))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var metrics []sim.Metric
	fmt.Fprint(table, "policy\t")
	for _, m := range sim.Metrics() {
		if slices.ContainsFunc(results, func(r []*sim.Result) bool { return !math.IsNaN(m.Median(r)) }) {
			metrics = append(metrics, m)
			fmt.Fprint(table, m.Title, "\t")
		}
	}
	fmt.Fprintln(table)
	for _, r := range results {
		fmt.Fprint(table, r[0].Policy, "\t")
		for _, m := range metrics {
			fmt.Fprint(table, format(m, m.Median(r)), "\t")
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

// describe puts the limit into words.
func describe(s sim.Scenario) string {
	l := s.Limit()
	if !s.Open() {
		return fmt.Sprintf("%d OK in %.1f s", l.OK, l.Makespan.Seconds())
	}
	text := fmt.Sprintf("%d OK", l.OK)
	if l.FailFast < l.OK {
		text += fmt.Sprintf(", %d without waiting for the outage's end", l.FailFast)
	}
	if _, until := s.Disturbed(); until > 0 {
		text += fmt.Sprintf(", %d while disturbed", l.Disturbed)
	}
	return text
}

func format(m sim.Metric, v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case math.IsInf(v, 1):
		return "never"
	case m.Percent:
		return strconv.FormatFloat(100*v, 'f', m.Digits, 64) + "%"
	}
	return strconv.FormatFloat(v, 'f', m.Digits, 64)
}

// printCauses prints why calls failed, in all runs of a policy together.
func printCauses(w io.Writer, results [][]*sim.Result) {
	for _, runs := range results {
		sum := map[string]int{}
		var causes []string
		for _, r := range runs {
			for cause, n := range r.Causes {
				if sum[cause] == 0 {
					causes = append(causes, cause)
				}
				sum[cause] += n
			}
		}
		slices.SortFunc(causes, func(a, b string) int { return cmp.Or(cmp.Compare(sum[b], sum[a]), cmp.Compare(a, b)) })
		for _, cause := range causes {
			fmt.Fprintf(w, "%s: %.1f a run failed by %s\n", runs[0].Policy, float64(sum[cause])/float64(len(runs)), cause)
		}
	}
}
