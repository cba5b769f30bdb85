package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tencenthttp/tencenthttp/bench/report"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// job is one run.
type job struct {
	scenario sim.Scenario
	policy   sim.Policy
	seed     uint64
	result   *sim.Result
	err      error
}

// run makes all runs of a choice, several at a time, and hands each scenario's on as soon as they are complete.
func run(c *choice, parallel int, bubble sim.Bubble, stderr io.Writer, done func(report.Runs) error) error {
	p := &progress{w: stderr, start: time.Now(), total: len(c.scenarios) * len(c.policies) * len(c.seeds)}
	for _, s := range c.scenarios {
		var jobs []*job
		for _, policy := range c.policies {
			for _, seed := range c.seeds {
				jobs = append(jobs, &job{scenario: s, policy: policy, seed: seed})
			}
		}
		runJobs(jobs, parallel, bubble, p)
		runs := report.Runs{Scenario: s}
		for i, j := range jobs {
			if j.err != nil {
				return j.err
			}
			if i%len(c.seeds) == 0 {
				runs.Policies = append(runs.Policies, nil)
			}
			last := &runs.Policies[len(runs.Policies)-1]
			*last = append(*last, j.result)
		}
		if err := done(runs); err != nil {
			return err
		}
	}
	return nil
}

func runJobs(jobs []*job, parallel int, bubble sim.Bubble, p *progress) {
	queue := make(chan *job)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for j := range queue {
				start := time.Now()
				j.result, j.err = sim.Run(bubble, j.scenario, j.policy, j.seed)
				p.done(j, time.Since(start))
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	wg.Wait()
}

// progress says what has been done.
type progress struct {
	w     io.Writer
	start time.Time
	total int

	mu    sync.Mutex
	count int
}

func (p *progress) done(j *job, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	fmt.Fprintf(p.w, "[%d/%d, %v] %s %s, seed %d: %.1f s\n",
		p.count, p.total, time.Since(p.start).Round(time.Second), j.scenario.Name, j.policy.Name, j.seed, took.Seconds())
}
