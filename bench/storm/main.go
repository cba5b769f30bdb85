package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

func main() {
	o := newOptions(flag.CommandLine)
	flag.Parse()
	inTest(func(t *testing.T) int {
		if err := storm(o, bubble(t), os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, "storm:", err)
			return 1
		}
		return 0
	})
}

// inTest calls f and exits with its result. There is no way into a synctest bubble but with a *testing.T, and in a program no way
// to that but testing.Main, which is kept for programs that stand in for go test. It would say PASS before it exits.
func inTest(f func(t *testing.T) int) {
	all := func(_, _ string) (bool, error) { return true, nil }
	run := func(t *testing.T) { os.Exit(f(t)) }
	testing.Main(all, []testing.InternalTest{{Name: "storm", F: run}}, nil, nil)
}

// bubble returns what runs a function in virtual time. It may be used by several goroutines at a time.
func bubble(t *testing.T) sim.Bubble {
	return func(f func()) {
		t.Run("", func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) })
	}
}

// storm runs what the options select and reports on it.
func storm(o *options, bubble sim.Bubble, stdout, stderr io.Writer) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: want flags only", flag.Arg(0))
	}
	choice, err := o.choose()
	if err != nil {
		return err
	}
	if o.list {
		return choice.list(stdout)
	}
	out, err := newOutput(o, stdout)
	if err != nil {
		return err
	}
	defer out.close()
	if o.quiet {
		stderr = io.Discard
	}
	return run(choice, o.jobs, bubble, stderr, out.add)
}
