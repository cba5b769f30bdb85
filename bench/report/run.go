package report

import "github.com/tencenthttp/tencenthttp/bench/sim"

// Runs are the runs of a scenario: those of one policy, seed by seed, after those of another.
type Runs struct {
	Scenario sim.Scenario
	Policies [][]*sim.Result
}
