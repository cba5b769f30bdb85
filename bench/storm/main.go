package main

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

func main() {
	o := newOptions(flag.CommandLine)
	flag.Parse()
	inTest(func(t *testing.T) int {
		bubble := func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }
		if err := storm(o, bubble); err != nil {
			fmt.Fprintln(os.Stderr, "storm:", err)
			return 1
		}
		return 0
	})
}

// inTest calls f and exits with its result. There is no other way into a synctest bubble than a *testing.T, and in a program no other
// way to that than testing.Main, which is kept for programs that stand in for go test. It would say PASS before it exits.
func inTest(f func(t *testing.T) int) {
	all := func(_, _ string) (bool, error) { return true, nil }
	run := func(t *testing.T) { os.Exit(f(t)) }
	testing.Main(all, []testing.InternalTest{{Name: "storm", F: run}}, nil, nil)
}

// storm runs what the options select.
func storm(o *options, bubble sim.Bubble) error {
	scenarios, policies, seeds, err := o.selection()
	if err != nil {
		return err
	}
	for _, s := range scenarios {
		results := make([][]*sim.Result, len(policies))
		for i, p := range policies {
			for _, seed := range seeds {
				done := o.progress(s.Name, p.Name, seed)
				r, err := sim.Run(bubble, s, p, seed)
				if err != nil {
					return err
				}
				done()
				results[i] = append(results[i], r)
			}
		}
		printTable(os.Stdout, s, results)
		if o.why {
			printCauses(os.Stdout, results)
		}
	}
	return nil
}
