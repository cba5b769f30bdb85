package report

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Summary is the CSV of all numbers of all runs, a line each.
type Summary struct{ w *csv.Writer }

// NewSummary writes the heading.
func NewSummary(w io.Writer) *Summary {
	s := &Summary{csv.NewWriter(w)}
	heading := []string{"scenario", "policy", "seed", "limit_ok", "limit_makespan_s"}
	for _, m := range sim.Metrics() {
		heading = append(heading, m.Name)
	}
	s.w.Write(heading) //nolint:errcheck // Flush says
	return s
}

// Add writes the lines of a scenario. Where there is no number the field is empty.
func (s *Summary) Add(runs Runs) error {
	for _, results := range runs.Policies {
		for _, r := range results {
			line := []string{r.Scenario, r.Policy, strconv.FormatUint(r.Seed, 10), strconv.Itoa(r.Limit.OK), number(r.Limit.Makespan.Seconds())}
			for _, m := range sim.Metrics() {
				line = append(line, number(m.Of(r)))
			}
			s.w.Write(line) //nolint:errcheck // Flush says
		}
	}
	s.w.Flush()
	return s.w.Error()
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case math.IsInf(v, 1):
		return "never"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// Course writes what happened second by second in the runs of one policy.
func Course(w io.Writer, results []*sim.Result) error {
	lines := csv.NewWriter(w)
	lines.Write([]string{"seed", "second", "quota", "offered", "ok", "failed", "sent", "accepted", "throttled"}) //nolint:errcheck // Flush says
	for _, r := range results {
		for second, c := range r.Seconds {
			line := []string{strconv.FormatUint(r.Seed, 10), strconv.Itoa(second), number(c.Quota)}
			for _, n := range []int{c.Offered, c.OK, c.Failed, c.Sent, c.Accepted, c.Throttled} {
				line = append(line, strconv.Itoa(n))
			}
			lines.Write(line) //nolint:errcheck // Flush says
		}
	}
	lines.Flush()
	return lines.Error()
}
