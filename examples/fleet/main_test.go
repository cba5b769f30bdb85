package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain makes the test binary a process of the fleet if it was started as one.
func TestMain(m *testing.M) {
	if ran, err := runWorker(); ran {
		exitOn(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	var out strings.Builder
	without, with, err := run(&out, settings{processes: 3, quota: 50, length: 3 * time.Second})
	require.NoError(t, err)
	assert.Contains(t, out.String(), "Each for itself")
	assert.Equal(t, 2, strings.Count(out.String(), "process    weight"), "a table for each part:\n%s", out.String())
	assert.Positive(t, without.accepted)
	assert.Positive(t, with.accepted)
	assert.Less(t, with.throttled, without.throttled, out.String())
}

func TestRun_WithoutRedis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, _, err := run(os.Stdout, settings{processes: 1, quota: 1, length: time.Second})
	assert.ErrorContains(t, err, "there is no redis-server in PATH")
}

func TestRun_NeedsAFleet(t *testing.T) {
	_, _, err := run(os.Stdout, settings{})
	assert.ErrorContains(t, err, "at least one process")
}
