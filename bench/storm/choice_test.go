package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// choose returns what the command line selects.
func choose(t *testing.T, args ...string) (*choice, error) {
	t.Helper()
	fs := flag.NewFlagSet("storm", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o := newOptions(fs)
	require.NoError(t, fs.Parse(args))
	return o.choose()
}

func names[T any](list []T, name func(T) string) string {
	var names []string
	for _, t := range list {
		names = append(names, name(t))
	}
	return strings.Join(names, " ")
}

const everyPolicy = "bare ours ours+limit ours-pacing ours+hold ours+maxwait failsafe failsafe-adaptive retryablehttp rehttp resty " +
	"aws-standard aws-adaptive tencent-sdk"

func TestChoose_names(t *testing.T) {
	for _, tt := range []struct {
		args, scenarios, policies string
		seeds                     []uint64
	}{
		{"", "S1 S2 S3 S4 S5 S6 S7", everyPolicy, []uint64{1, 2, 3, 4, 5}},
		{"-scenario S3,S1 -policy bare,ours -seeds 7", "S3 S1", "bare ours", []uint64{7}},
		{"-arrivals.rate 5 -arrivals.for 10s", "own", everyPolicy, []uint64{1, 2, 3, 4, 5}},
		{"-calls 5 -workers 1 -seeds 1,5-7", "own", everyPolicy, []uint64{1, 5, 6, 7}},
		{"-scenario S1,own -calls 5 -workers 1", "S1 own", everyPolicy, []uint64{1, 2, 3, 4, 5}},
		{"-file example.yaml", "nightly gateway slow day", "mine patient " + everyPolicy, []uint64{1, 2, 3, 4, 5}},
		{"-file example.yaml -scenario S1,gateway -policy mine", "S1 gateway", "mine", []uint64{1, 2, 3, 4, 5}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			c, err := choose(t, strings.Fields(tt.args)...)
			require.NoError(t, err)
			assert.Equal(t, tt.scenarios, names(c.scenarios, scenarioName))
			assert.Equal(t, tt.policies, names(c.specs, specName))
			assert.Len(t, c.policies, len(c.specs))
			assert.Equal(t, tt.seeds, c.seeds)
		})
	}
}

func TestChoose_changes(t *testing.T) {
	c, err := choose(t, "-scenario", "S1,S2", "-quota.rate", "50", "-latency.network", "[1ms, 2ms]", "-attempts", "7", "-maxWait", "2s", "-policy", "rehttp,ours")
	require.NoError(t, err)
	for _, s := range c.scenarios {
		assert.InDelta(t, 50, s.Quota.Rate, 0)
		assert.Equal(t, 20, s.Quota.Burst)
		assert.Equal(t, [2]sim.Duration{sim.Duration(time.Millisecond), sim.Duration(2 * time.Millisecond)}, s.Latency.Network)
		assert.True(t, strings.HasSuffix(s.Title, "; quota.rate 50, latency.network [1ms, 2ms]"), s.Title)
	}
	rehttp, ours := c.specs[0], c.specs[1]
	assert.Equal(t, 7, rehttp.Attempts)
	assert.Zero(t, rehttp.MaxWait, "it is for ours alone")
	assert.Equal(t, 7, ours.Attempts)
	assert.Equal(t, 2*time.Second, ours.MaxWait.D())
	assert.InDelta(t, 20, sim.Builtin()[0].Quota.Rate, 0, "the next one begins anew")
}

func TestChoose_file(t *testing.T) {
	c, err := choose(t, "-file", "example.yaml")
	require.NoError(t, err)
	nightly, slow, mine, patient, bare := c.scenarios[0], c.scenarios[2], c.specs[0], c.specs[1], c.specs[2]
	assert.Equal(t, sim.Duration(time.Second), nightly.Pause)
	assert.InDelta(t, 25, nightly.Changes[0].Rate, 0)
	assert.InDelta(t, 15, slow.Arrivals.Rate, 0, "as S4")
	assert.InDelta(t, 10, slow.Brownout.Rate, 0)
	assert.InDelta(t, .3, mine.Breaker.FailureRatio, 0)
	assert.Equal(t, 4, mine.Attempts)
	assert.Equal(t, 8, patient.Attempts)
	assert.InDelta(t, .5, patient.Breaker.FailureRatio, 0, "the default")
	assert.Equal(t, 4, bare.Attempts)
}

func TestChoose_errors(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"empty file", "", nil, "it is empty"},
		{"no YAML", "a: [", nil, "line 1"},
		{"unknown part", "scenario: []", nil, "line 1: there is no key scenario, but scenarios, policies, rules"},
		{"unknown key", "scenarios:\n- name: x\n  quotta: {}", nil, "line 3: there is no key quotta, but like, name"},
		{"unknown key below", "scenarios:\n- quota: {rat: 4}", nil, "line 2: there is no key quota.rat, but rate, burst, limit, window"},
		{"unknown scenario to be like", "scenarios:\n- {name: x, like: S9}", nil, `line 2: like: there is no scenario "S9"`},
		{"no duration", "scenarios:\n- {name: x, deadline: 5}", nil, `line 2: "5" is no duration`},
		{"senseless scenario", "scenarios:\n- {name: x, calls: 5}", nil, "scenario x: workers: 0: want at least 1"},
		{"senseless policy", "policies:\n- {name: x, use: bare, attempts: 0}", nil, "policy x: attempts: 0"},
		{"unknown rule", "rules: {atempts: 3}", nil, "there is no key atempts"},
		{"wrong kind", "scenarios: {name: x}", nil, "line 1"},
		{"unknown library", "policies: [{name: x, use: heimdall}]", nil, `policy x: use "heimdall"`},
		{"no such file", "", []string{"-file", "missing.yaml"}, "missing.yaml"},
		{"unknown scenario", "", []string{"-scenario", "S9"}, `there is no scenario "S9", but S1, S2, S3, S4, S5, S6, S7, own`},
		{"unknown policy", "", []string{"-policy", "heimdall"}, `there is no policy "heimdall", but bare`},
		{"own without load", "", []string{"-scenario", "own"}, "scenario own: load: want either arrivals or calls"},
		{"seeds", "", []string{"-seeds", "5-1"}, `-seeds "5-1"`},
		{"seeds", "", []string{"-seeds", "x"}, `-seeds "x"`},
		{"jobs", "", []string{"-jobs", "0"}, "-jobs 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if args == nil {
				name := filepath.Join(t.TempDir(), "storm.yaml")
				require.NoError(t, os.WriteFile(name, []byte(tt.file), 0o600))
				args = []string{"-file", name}
			}
			_, err := choose(t, args...)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestFileName(t *testing.T) {
	assert.Equal(t, "slow_day-a_b.csv", fileName("slow day-a/b.csv"))
}
