package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets this binary be the program, which cannot be tested otherwise: it ends by exiting.
func TestMain(m *testing.M) {
	if os.Getenv("STORM_IS_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// runMain runs the program.
func runMain(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "STORM_IS_MAIN=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), errs.String(), failed.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), errs.String(), 0
}

func TestMain_runs(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, exit := runMain(t, "-scenario", "S1", "-calls", "60", "-workers", "10", "-policy", "ours+limit,bare", "-seeds", "1,2", "-why", "-out", dir)
	require.Zero(t, exit, stderr)
	assert.Contains(t, stdout, "S1: a batch of 2,000 calls by 200 workers; calls 60, workers 10")
	assert.Contains(t, stdout, "physical limit: 60 OK in 2.0 s")
	assert.Regexp(t, `ours\+limit +60 +0 +6\d `, stdout)
	assert.Regexp(t, `bare +60 +[1-9]`, stdout)
	assert.Regexp(t, `bare +\d+\.\d +RequestLimitExceeded`, stdout)
	assert.NotContains(t, stdout, "PASS")
	assert.Contains(t, stderr, "[4/4, ")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	assert.Equal(t, []string{"S1-bare.csv", "S1-ours+limit.csv", "S1.png", "S1.svg", "summary.csv"}, names)
}

func TestMain_sameSeedSameOutput(t *testing.T) {
	args := []string{"-scenario", "S2", "-arrivals.for", "60s", "-outage.from", "20s", "-outage.until", "30s", "-seeds", "7", "-out", "", "-quiet"}
	args = append(args, "-policy", "bare,ours,ours+hold,ours-pacing,retryablehttp,rehttp,aws-standard,tencent-sdk")
	first, stderr, exit := runMain(t, args...)
	require.Zero(t, exit, stderr)
	assert.Empty(t, stderr)
	again, _, _ := runMain(t, args...)
	assert.Equal(t, first, again)
}

func TestMain_errors(t *testing.T) {
	for _, tt := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"-scenario", "S8"}, 1, `storm: there is no scenario "S8", but S1, S2`},
		{[]string{"-quota.rate", "fast"}, 2, "cannot take `fast` for a number"},
		{[]string{"-quota", "5"}, 2, "flag provided but not defined: -quota"},
		{[]string{"S1"}, 1, `"S1": want flags only`},
		{[]string{"-scenario", "S1", "-policy", "bare", "-out", "/dev/null/x"}, 1, "/dev/null"},
	} {
		_, stderr, exit := runMain(t, tt.args...)
		assert.Equal(t, tt.exit, exit, tt.args)
		assert.Contains(t, stderr, tt.want)
	}
}

func TestMain_list(t *testing.T) {
	stdout, _, exit := runMain(t, "-list")
	assert.Zero(t, exit)
	assert.Contains(t, stdout, "S7")
	assert.Contains(t, stdout, "gobreaker added")
}
