package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// options is the command line.
type options struct {
	scenarios, policies, seeds string
	why, quiet                 bool
}

func newOptions(fs *flag.FlagSet) *options {
	o := new(options)
	fs.StringVar(&o.scenarios, "scenario", "all", "the scenarios, `S1,S3`")
	fs.StringVar(&o.policies, "policy", "all", "the policies, `ours,bare`")
	fs.StringVar(&o.seeds, "seeds", "1,2,3,4,5", "the seeds, `1,2` or 1-5; the table has the medians")
	fs.BoolVar(&o.why, "why", false, "print why calls failed")
	fs.BoolVar(&o.quiet, "quiet", false, "show no progress")
	return o
}

// selection returns what to run.
func (o *options) selection() ([]sim.Scenario, []sim.Policy, []uint64, error) {
	scenarios, err := choose(o.scenarios, "scenario", sim.Builtin(), func(s sim.Scenario) string { return s.Name })
	if err != nil {
		return nil, nil, nil, err
	}
	policies, err := choose(o.policies, "policy", policy.All(policy.DefaultRules()), func(p sim.Policy) string { return p.Name })
	if err != nil {
		return nil, nil, nil, err
	}
	seeds, err := parseSeeds(o.seeds)
	return scenarios, policies, seeds, err
}

// choose returns those of all that a comma-separated list names, in its order.
func choose[T any](list, kind string, all []T, name func(T) string) ([]T, error) {
	if list == "all" {
		return all, nil
	}
	var chosen []T
	for wanted := range strings.SplitSeq(list, ",") {
		at := slices.IndexFunc(all, func(t T) bool { return name(t) == wanted })
		if at < 0 {
			names := make([]string, len(all))
			for i, t := range all {
				names[i] = name(t)
			}
			return nil, fmt.Errorf("there is no %s %q, but %s", kind, wanted, strings.Join(names, ", "))
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

func parseSeeds(list string) ([]uint64, error) {
	var seeds []uint64
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 32)
		to, err2 := strconv.ParseUint(last, 10, 32)
		if err != nil || err2 != nil || to < from || to-from >= 1000 {
			return nil, fmt.Errorf("-seeds %q: want numbers or ranges of them, such as 1,2 or 1-5", list)
		}
		for seed := from; seed <= to; seed++ {
			seeds = append(seeds, seed)
		}
	}
	return seeds, nil
}

// progress says what runs now. The function that it returns says how long that took.
func (o *options) progress(scenario, policy string, seed uint64) func() {
	if o.quiet {
		return func() {}
	}
	start := time.Now()
	fmt.Fprintf(os.Stderr, "%s %s, seed %d ... ", scenario, policy, seed)
	return func() { fmt.Fprintf(os.Stderr, "%.1f s\n", time.Since(start).Seconds()) }
}
