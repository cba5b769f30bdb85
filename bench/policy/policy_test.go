package policy_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// each runs f in a bubble for every policy of the comparison, with a client over an API of its own.
func each(t *testing.T, f func(t *testing.T, spec policy.Spec, call sim.Client, api *tctest.API)) {
	for _, spec := range policy.Builtin() {
		t.Run(spec.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, err := spec.Policy()
				require.NoError(t, err)
				api := tctest.New(tctest.WithLatency(tctest.Fixed(time.Millisecond)))
				call, err := p.New(sim.Site{Base: api.RoundTripper(), Seed: 1, Quota: sim.Quota{Rate: 20, Burst: 20}})
				require.NoError(t, err)
				f(t, spec, call, api)
			})
		})
	}
}

func TestPolicies_success(t *testing.T) {
	each(t, func(t *testing.T, _ policy.Spec, call sim.Client, api *tctest.API) {
		require.NoError(t, call(t.Context()))
		assert.Equal(t, 1, api.Count("DescribeInstances"))
		recorded := api.Calls()[0]
		assert.Equal(t, "ap-guangzhou", recorded.Region)
		assert.Equal(t, "AKIDstorm", recorded.SecretID, "all share one account")
	})
}

func TestPolicies_retryAThrottle(t *testing.T) {
	each(t, func(t *testing.T, spec policy.Spec, call sim.Client, api *tctest.API) {
		api.Script("*", tctest.Fail("RequestLimitExceeded"))
		err := call(t.Context())
		if spec.Use == "bare" {
			assert.ErrorContains(t, err, "RequestLimitExceeded")
			return
		}
		require.NoError(t, err)
		assert.Equal(t, 2, api.Count())
	})
}

func TestPolicies_makeFourAttempts(t *testing.T) {
	each(t, func(t *testing.T, spec policy.Spec, call sim.Client, api *tctest.API) {
		api.Script("*", tctest.Fail("RequestLimitExceeded").Forever())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorContains(t, call(ctx), "RequestLimitExceeded")
		if spec.Use == "bare" {
			assert.Equal(t, 1, api.Count())
			return
		}
		assert.Equal(t, 4, api.Count())
	})
}

// Twenty failures open the breaker, whoever brought it along, and it lets one request through every five seconds.
func TestPolicies_breakInAnOutage(t *testing.T) {
	each(t, func(t *testing.T, spec policy.Spec, call sim.Client, api *tctest.API) {
		for range 20 {
			_ = call(t.Context())
		}
		api.SetOutages(tctest.Outage{InternalError: 1})
		before := api.Count()
		var wg sync.WaitGroup
		for range 600 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				assert.Error(t, call(ctx))
			})
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		sent := api.Count() - before
		if spec.Use == "bare" {
			assert.Equal(t, 600, sent)
			return
		}
		assert.Less(t, sent, 150)
		api.SetOutages()
		time.Sleep(10 * time.Second)
		assert.NoError(t, call(t.Context()))
	})
}

// After five seconds without an answer the request is given up, and made again.
func TestPolicies_timeAnAttemptOut(t *testing.T) {
	each(t, func(t *testing.T, spec policy.Spec, call sim.Client, api *tctest.API) {
		api.Script("*", tctest.Hang())
		start := time.Now()
		err := call(t.Context())
		if spec.Use == "bare" {
			assert.ErrorContains(t, err, "timeout")
			assert.Equal(t, 5*time.Second, time.Since(start))
			return
		}
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(start), 5*time.Second)
		assert.Less(t, time.Since(start), 6*time.Second)
	})
}

// A scenario goes through with every policy, and those that can be seeded do the same again.
func TestPolicies_inAStorm(t *testing.T) {
	storm := sim.Builtin()[0]
	storm.Calls, storm.Workers = 100, 20
	storm.Outage = sim.Outage{From: 2 * sim.Duration(time.Second), Until: 4 * sim.Duration(time.Second), InternalError: .4, Unavailable: .3, Refuse: .1, Hang: .2}
	require.NoError(t, storm.Validate())
	for _, spec := range policy.Builtin() {
		t.Run(spec.Name, func(t *testing.T) {
			p, err := spec.Policy()
			require.NoError(t, err)
			r, err := sim.Run(func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }, storm, p, 1)
			require.NoError(t, err)
			assert.Equal(t, 100, r.OK)
			for cause := range r.Causes {
				assert.Less(t, len(cause), 100, "as short as a heading: %q", cause)
				assert.False(t, strings.ContainsAny(cause, "\n"), cause)
			}
		})
	}
}

func TestSpec_errors(t *testing.T) {
	for _, tt := range []struct {
		change func(*policy.Spec)
		want   string
	}{
		{func(s *policy.Spec) { s.Use = "heimdall" }, `policy mine: use "heimdall": want one of bare, ours, failsafe`},
		{func(s *policy.Spec) { s.Name = "" }, "name: it needs one"},
		{func(s *policy.Spec) { s.Attempts = 0 }, "attempts: 0"},
		{func(s *policy.Spec) { s.Backoff.Max = 1 }, "backoff: 250ms to 1ns"},
		{func(s *policy.Spec) { s.AttemptTimeout = 0 }, "attemptTimeout: 0s"},
		{func(s *policy.Spec) { s.Breaker.FailureRatio = 2 }, "breaker.failureRatio: 2"},
		{func(s *policy.Spec) { s.Breaker.MinCalls = 0 }, "breaker.minCalls: 0"},
		{func(s *policy.Spec) { s.Breaker.OpenFor = 0 }, "openFor 0s"},
		{func(s *policy.Spec) { s.RateLimit.Rate = 5 }, "rateLimit: 5/s, burst 0"},
		{func(s *policy.Spec) { s.MaxWait = -1 }, "maxWait -1ns"},
		{func(s *policy.Spec) { s.Use, s.Pacing = "rehttp", false }, "are for ours, not for rehttp"},
	} {
		spec := policy.Default()
		spec.Name = "mine"
		tt.change(&spec)
		_, err := spec.Policy()
		assert.ErrorContains(t, err, tt.want)
	}
}

func TestSpec_about(t *testing.T) {
	for _, spec := range policy.Builtin() {
		assert.NotEmpty(t, spec.About(), spec.Name)
	}
	assert.Empty(t, policy.Spec{}.About())
}
