package main

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/tencenthttp/tencenthttp/bench/config"
	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// options is the command line.
type options struct {
	scenarios, policies, seeds string
	file, out                  string
	jobs                       int
	why, quiet, list           bool
	// load and rules are the keys of scenarios and policies that were given as flags.
	load, rules config.Overrides
}

func newOptions(fs *flag.FlagSet) *options {
	o := new(options)
	fs.StringVar(&o.scenarios, "scenario", "", "the scenarios, such as `S1,S3`; own is one made of flags alone (default: those of the file, else all)")
	fs.StringVar(&o.policies, "policy", "", "the policies, such as `ours,bare` (default: all)")
	fs.StringVar(&o.seeds, "seeds", "1-5", "the seeds, such as 1,2 or `1-5`; the table has the medians")
	fs.StringVar(&o.file, "file", "", "a YAML `file` with scenarios, policies and rules of one's own")
	fs.StringVar(&o.out, "out", "storm.out", "the `directory` for CSV and plots; empty: none")
	fs.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many runs at a time")
	fs.BoolVar(&o.why, "why", false, "say why calls failed")
	fs.BoolVar(&o.quiet, "quiet", false, "show no progress")
	fs.BoolVar(&o.list, "list", false, "list the scenarios and policies, and run nothing")
	own, spec := sim.Defaults(), policy.Default()
	o.load.Register(fs, &own)
	o.rules.Register(fs, &spec)
	return o
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
