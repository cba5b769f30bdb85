package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Causes prints why calls failed, on average per run.
func Causes(w io.Writer, runs Runs) error {
	fmt.Fprintln(w, "\nwhy calls failed, per run")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, results := range runs.Policies {
		sum := map[string]int{}
		for _, r := range results {
			for cause, n := range r.Causes {
				sum[cause] += n
			}
		}
		for _, cause := range ranked(sum) {
			fmt.Fprintf(table, "%s\t%.1f\t  %s\n", results[0].Policy, float64(sum[cause])/float64(len(results)), cause)
		}
	}
	return table.Flush()
}

// ranked returns the causes of a result, the most frequent first.
func ranked(causes map[string]int) []string {
	var names []string
	for cause := range causes {
		names = append(names, cause)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(causes[b], causes[a]), cmp.Compare(a, b)) })
	return names
}
