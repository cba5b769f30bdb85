package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// choice is what to run.
type choice struct {
	scenarios []sim.Scenario
	specs     []policy.Spec
	policies  []sim.Policy
	seeds     []uint64
}

// own is the name of the scenario that flags alone make.
const own = "own"

func scenarioName(s sim.Scenario) string { return s.Name }
func specName(s policy.Spec) string      { return s.Name }

// choose finds what the options name, and applies to it what they change.
func (o *options) choose() (*choice, error) {
	f, err := readFile(o.file)
	if err != nil {
		return nil, err
	}
	if o.jobs < 1 {
		return nil, fmt.Errorf("-jobs %d: want at least 1", o.jobs)
	}
	c := new(choice)
	var errs [3]error
	c.scenarios, errs[0] = o.chooseScenarios(f)
	c.specs, errs[1] = o.chooseSpecs(f)
	c.seeds, errs[2] = parseSeeds(o.seeds)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return c, c.prepare()
}

func (o *options) chooseScenarios(f *file) ([]sim.Scenario, error) {
	blank := sim.Defaults()
	blank.Name = own
	all := slices.Concat(f.scenarios, sim.Builtin(), []sim.Scenario{blank})
	var chosen []sim.Scenario
	switch {
	case o.scenarios != "":
		var err error
		if chosen, err = pickAll("scenario", o.scenarios, all, scenarioName); err != nil {
			return nil, err
		}
	case len(f.scenarios) > 0:
		chosen = f.scenarios
	case o.load.Has("arrivals.rate") || o.load.Has("calls"):
		chosen = []sim.Scenario{blank}
	default:
		chosen = sim.Builtin()
	}
	for i := range chosen {
		changes, err := o.load.Apply(&chosen[i])
		if err != nil {
			return nil, err
		}
		if len(changes) > 0 {
			chosen[i].Title = strings.TrimPrefix(chosen[i].Title+"; ", "; ") + strings.Join(changes, ", ")
		}
	}
	return chosen, nil
}

func (o *options) chooseSpecs(f *file) ([]policy.Spec, error) {
	builtin := policy.Builtin()
	for i := range builtin {
		builtin[i].Rules = f.rules
	}
	chosen := slices.Concat(f.policies, builtin)
	if o.policies != "" {
		var err error
		if chosen, err = pickAll("policy", o.policies, chosen, specName); err != nil {
			return nil, err
		}
	}
	for i := range chosen {
		var target any = &chosen[i].Rules
		if chosen[i].Use == "ours" {
			target = &chosen[i]
		}
		if _, err := o.rules.Apply(target); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

// prepare checks everything, and makes the policies.
func (c *choice) prepare() error {
	var errs []error
	for i := range c.scenarios {
		errs = append(errs, c.scenarios[i].Validate())
	}
	for _, spec := range c.specs {
		p, err := spec.Policy()
		c.policies, errs = append(c.policies, p), append(errs, err)
	}
	return errors.Join(errs...)
}

// pickAll returns those of all that a comma-separated list names, in its order.
func pickAll[T any](kind, list string, all []T, name func(T) string) ([]T, error) {
	var picked []T
	for wanted := range strings.SplitSeq(list, ",") {
		t, err := pick(kind, wanted, all, name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, t)
	}
	return picked, nil
}

func pick[T any](kind, wanted string, all []T, name func(T) string) (T, error) {
	var names []string
	for _, t := range all {
		if name(t) == wanted {
			return t, nil
		}
		names = append(names, name(t))
	}
	var none T
	return none, fmt.Errorf("there is no %s %q, but %s", kind, wanted, strings.Join(names, ", "))
}

// list prints what there is to choose from.
func (c *choice) list(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range c.scenarios {
		fmt.Fprintf(table, "%s\t%s\n", s.Name, s.Title)
	}
	fmt.Fprintln(table)
	for _, spec := range c.specs {
		fmt.Fprintf(table, "%s\t%s\n", spec.Name, spec.About())
	}
	return table.Flush()
}
