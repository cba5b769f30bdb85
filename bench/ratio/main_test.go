package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoRounds = `goos: linux
BenchmarkOverhead/base=stub/size=300B/via=bare-2         100    1000 ns/op   500 B/op   5 allocs/op
BenchmarkOverhead/base=stub/size=300B/via=floor-2        100    1400 ns/op   550 B/op   7 allocs/op
BenchmarkOverhead/base=stub/size=300B/via=go-http-2      100    1800 ns/op   600 B/op   9 allocs/op
PASS
BenchmarkOverhead/base=stub/size=300B/via=bare-2         100    2000 ns/op   500 B/op   5 allocs/op
BenchmarkOverhead/base=stub/size=300B/via=floor-2        100    2800 ns/op   550 B/op   7 allocs/op
BenchmarkOverhead/base=stub/size=300B/via=go-http-2      100    4400 ns/op   600 B/op   9 allocs/op
`

func TestRun_comparesWithinARound(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run([]string{write(t, twoRounds)}, &out))
	assert.Equal(t, `
stub, 300B, medians of 2 rounds

| via | ns/call | × bare | added ns | × floor's | added allocs | added B |
|---|--:|--:|--:|--:|--:|--:|
| bare | 1500 | | | | | |
| floor | 2100 | 1.40 | 600 | 1.00 | 2 | 50 |
| go-http | 3100 | 2.00 | 1600 | 2.50 | 4 | 100 |
`, out.String())
}

func TestRun_saysNoiseWhereTheFloorIsNoSlowerThanBare(t *testing.T) {
	var out strings.Builder
	noisy := strings.ReplaceAll(twoRounds, "2800 ns/op", "1990 ns/op")
	require.NoError(t, run([]string{write(t, noisy)}, &out))
	assert.Contains(t, out.String(), "| go-http | 3100 | 2.00 | 1600 | noise | 4 | 100 |")
}

func TestRun_refuses(t *testing.T) {
	for name, text := range map[string]string{
		"no benchmark":      "PASS\n",
		"no number":         "BenchmarkOverhead/base=stub/size=300B/via=bare-2 100 x ns/op\n",
		"no time":           "BenchmarkOverhead/base=stub/size=300B/via=bare-2 100 5 B/op\n",
		"no floor":          "BenchmarkOverhead/base=stub/size=300B/via=bare-2 100 5 ns/op\n",
		"a round too short": strings.TrimSuffix(twoRounds, twoRounds[strings.LastIndex(twoRounds, "Benchmark"):]),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Error(t, run([]string{write(t, text)}, new(strings.Builder)))
		})
	}
	assert.Error(t, run(nil, new(strings.Builder)))
	assert.Error(t, run([]string{filepath.Join(t.TempDir(), "none")}, new(strings.Builder)))
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "overhead.txt")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}
