package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Table prints the medians of each policy's results beside the physical limit, leaving out columns in which none has anything to say.
func Table(w io.Writer, runs Runs) error {
	s := runs.Scenario
	fmt.Fprintf(w, "\n%s: %s\nphysical limit: %s\n", s.Name, s.Title, describe(&s))
	possible := s.Limit().OK
	for _, r := range runs.Policies {
		if s.Open() && r[0].Limit.OK < possible {
			fmt.Fprintf(w, "for %s, which refuses longer waits: %d OK\n", r[0].Policy, r[0].Limit.OK)
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var metrics []sim.Metric
	fmt.Fprint(table, "policy\t")
	for _, m := range sim.Metrics() {
		if slices.ContainsFunc(runs.Policies, func(r []*sim.Result) bool { return !math.IsNaN(m.Median(r)) }) {
			metrics = append(metrics, m)
			fmt.Fprint(table, m.Title, "\t")
		}
	}
	fmt.Fprintln(table)
	for _, r := range runs.Policies {
		fmt.Fprint(table, r[0].Policy, "\t")
		for _, m := range metrics {
			fmt.Fprint(table, format(m, m.Median(r)), "\t")
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// describe puts the limit into words.
func describe(s *sim.Scenario) string {
	l := s.Limit()
	if !s.Open() {
		return fmt.Sprintf("%d OK in %.1f s", l.OK, l.Makespan.Seconds())
	}
	text := fmt.Sprintf("%d OK", l.OK)
	if l.FailFast < l.OK {
		text += fmt.Sprintf(", %d if those that come in the outage fail", l.FailFast)
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

// Shares prints what each process got at least in any 60 s, in percent of its fair share, if there are several.
func Shares(w io.Writer, runs Runs) error {
	if runs.Scenario.Processes < 2 {
		return nil
	}
	fmt.Fprintln(w, "\nleast share of each process over any 60 s in which it had work, in % of the fair one, worst first")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, results := range runs.Policies {
		fmt.Fprint(table, results[0].Policy, "\t")
		for rank := range runs.Scenario.Processes {
			m := sim.Metric{Percent: true, Of: func(r *sim.Result) float64 { return nthLeast(r, rank) }}
			fmt.Fprint(table, format(m, m.Median(results)), "\t")
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// nthLeast returns the share of the process that came off n-th worst, counted from 0.
func nthLeast(r *sim.Result, n int) float64 {
	var shares []float64
	for _, share := range r.Shares {
		if !math.IsNaN(share.Least) {
			shares = append(shares, share.Least)
		}
	}
	if n >= len(shares) {
		return math.NaN()
	}
	slices.Sort(shares)
	return shares[n]
}
