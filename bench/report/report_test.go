package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/report"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// storm returns runs of two policies with two seeds each, one of which never recovered.
func storm() report.Runs {
	scenario := sim.Builtin()[1]
	scenario.Name, scenario.Processes = "small", 2
	run := func(policy string, seed uint64, ok int, recovery time.Duration) *sim.Result {
		return &sim.Result{
			Scenario: "small", Policy: policy, Seed: seed, Limit: sim.Limit{OK: 100}, OK: ok, Failed: 100 - ok, Sent: 200, SentLater: 100,
			Succeeded: []time.Duration{time.Second}, Causes: map[string]int{"breaker open": 3, "InternalError": 9},
			Disturbance: &sim.Disturbance{PerCall: .5, Used: math.NaN(), Recovery: recovery},
			Shares:      []sim.Share{{Least: .9}, {Least: .5}},
			Seconds:     []sim.Second{{Offered: 3, Sent: 400, Throttled: 390, Accepted: 10, Quota: 20}, {OK: 1, Quota: 20}},
		}
	}
	return report.Runs{Scenario: scenario, Policies: [][]*sim.Result{
		{run("ours", 1, 90, time.Second), run("ours", 2, 94, 2*time.Second)},
		{run("theirs", 1, 50, -1), run("theirs", 2, 52, -1)},
	}}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.Table(&out, storm()))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 7)
	assert.Equal(t, "small: 15/s, outage from 45 to 75 s", lines[0])
	assert.Equal(t, "physical limit: 2250 OK, 1800 if those that come in the outage fail, 0 while disturbed", lines[1])
	assert.Equal(t, "for theirs, which refuses longer waits: 100 OK", lines[3])
	lines = lines[2:]
	assert.Equal(t, strings.Fields("policy OK failed OK/limit sent throttled wasted>3s p50 s p99 s req/call first OK recovered least share"), strings.Fields(lines[2]))
	assert.Equal(t, strings.Fields("ours 92 8 92.0% 200 0 0.0% 1.00 1.00 0.50 0.00 1.50 50%"), strings.Fields(lines[3]))
	assert.Equal(t, strings.Fields("theirs 51 49 51.0% 200 0 0.0% 1.00 1.00 0.50 0.00 never 50%"), strings.Fields(lines[4]))
}

func TestTable_closedLoad(t *testing.T) {
	runs := report.Runs{Scenario: sim.Builtin()[0], Policies: [][]*sim.Result{
		{{Policy: "ours", Closed: true, Makespan: 100 * time.Second, Limit: sim.Limit{Makespan: 80 * time.Second}}},
		{{Policy: "theirs", Closed: true, Left: 1}},
	}}
	var out bytes.Buffer
	require.NoError(t, report.Table(&out, runs))
	assert.Contains(t, out.String(), "physical limit: 2000 OK in 99.0 s")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Equal(t, strings.Fields("policy OK failed sent throttled makespan x limit"), strings.Fields(lines[2]))
	assert.Equal(t, strings.Fields("ours 0 0 0 0 100.0 1.250"), strings.Fields(lines[3]))
	assert.Equal(t, strings.Fields("theirs 0 0 0 0 never never"), strings.Fields(lines[4]))
}

func TestShares(t *testing.T) {
	var out bytes.Buffer
	runs := storm()
	require.NoError(t, report.Shares(&out, runs))
	assert.Contains(t, strings.Join(strings.Fields(out.String()), " "), "ours 50% 90% theirs 50% 90%")
	out.Reset()
	runs.Scenario.Processes = 1
	require.NoError(t, report.Shares(&out, runs))
	assert.Empty(t, out.String())
}

func TestCauses(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.Causes(&out, storm()))
	assert.Contains(t, strings.Join(strings.Fields(out.String()), " "), "ours 9.0 InternalError ours 3.0 breaker open theirs 9.0 InternalError")
}

func TestSummary(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.NewSummary(&out).Add(storm()))
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 5)
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	last := lines[4]
	for name, want := range map[string]string{
		"scenario": "small", "policy": "theirs", "seed": "2", "limit_ok": "100", "ok": "52", "recovery_s": "never", "makespan_s": "",
		"disturbed_requests_per_call": "0.5",
	} {
		assert.Equal(t, want, last[column[name]], name)
	}
}

func TestCourse(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.Course(&out, storm().Policies[0]))
	assert.Equal(t, `seed,second,quota,offered,ok,failed,sent,accepted,throttled
1,0,20,3,0,0,400,10,390
1,1,20,0,1,0,0,0,0
2,0,20,3,0,0,400,10,390
2,1,20,0,1,0,0,0,0
`, out.String())
}

func TestPlots(t *testing.T) {
	runs := storm()
	for range 2 { // two panels, and four
		var picture, drawing bytes.Buffer
		require.NoError(t, report.PNG(&picture, runs))
		config, err := png.DecodeConfig(&picture)
		require.NoError(t, err)
		assert.Greater(t, config.Width, 600)
		require.NoError(t, report.SVG(&drawing, runs))
		text := drawing.String()
		require.NoError(t, xml.Unmarshal(drawing.Bytes(), new(struct{})))
		for _, want := range []string{"small: 15/s", "offered", "throttled", "quota", ">ours<"} {
			assert.Contains(t, text, want)
		}
		runs.Policies = append(runs.Policies, runs.Policies...)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestWriteErrors(t *testing.T) {
	runs := storm()
	for name, write := range map[string]func(io.Writer) error{
		"summary": func(w io.Writer) error { return report.NewSummary(w).Add(runs) },
		"course":  func(w io.Writer) error { return report.Course(w, runs.Policies[0]) },
		"png":     func(w io.Writer) error { return report.PNG(w, runs) },
		"svg":     func(w io.Writer) error { return report.SVG(w, runs) },
	} {
		assert.ErrorContains(t, write(full{}), "no room", name)
	}
}
