package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/tencenthttp/tencenthttp/bench/config"
	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// file is what someone has written about a fleet of their own.
type file struct {
	scenarios []sim.Scenario
	policies  []policy.Spec
	// rules are for all policies that do not say otherwise, the built-in ones among them.
	rules policy.Rules
}

// scenarioEntry is a scenario in a file. It may start from a built-in one.
type scenarioEntry struct {
	Like         string `yaml:"like"`
	sim.Scenario `yaml:",inline"`
}

// readFile reads a file; no name means an empty one.
func readFile(name string) (*file, error) {
	if name == "" {
		return &file{rules: policy.DefaultRules()}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parsed, err := parseFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", name, err)
	}
	return parsed, nil
}

func parseFile(r io.Reader) (*file, error) {
	var root yaml.Node
	if err := yaml.NewDecoder(r).Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty")
		}
		return nil, err
	}
	var parts struct {
		Scenarios []yaml.Node `yaml:"scenarios"`
		Policies  []yaml.Node `yaml:"policies"`
		Rules     yaml.Node   `yaml:"rules"`
	}
	if err := config.Decode(&root, &parts); err != nil {
		return nil, err
	}
	f := &file{rules: policy.DefaultRules()}
	var errs []error
	if !parts.Rules.IsZero() {
		errs = append(errs, config.Decode(&parts.Rules, &f.rules))
	}
	for _, node := range parts.Scenarios {
		s, err := parseScenario(&node)
		f.scenarios, errs = append(f.scenarios, s), append(errs, err)
	}
	for _, node := range parts.Policies {
		spec := policy.Default()
		spec.Rules = f.rules
		errs = append(errs, config.Decode(&node, &spec))
		f.policies = append(f.policies, spec)
	}
	return f, errors.Join(errs...)
}

func parseScenario(node *yaml.Node) (sim.Scenario, error) {
	entry := scenarioEntry{Scenario: sim.Defaults()}
	if err := config.Decode(node, &entry); err != nil || entry.Like == "" {
		return entry.Scenario, err
	}
	base, err := pick("scenario", entry.Like, sim.Builtin(), scenarioName)
	if err != nil {
		return entry.Scenario, fmt.Errorf("line %d: like: %w", node.Line, err)
	}
	entry.Scenario = base
	err = config.Decode(node, &entry)
	return entry.Scenario, err
}
