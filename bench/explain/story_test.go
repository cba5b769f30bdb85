package explain

import (
	"encoding/xml"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/bench/sim"
	"github.com/tencenthttp/tencenthttp/status"
)

// picture is where a trace of S2 is drawn, for the README.
var picture = flag.String("picture", "", "a `file` for the picture of a trace")

// tell plays one of the simulator's scenarios and writes down what was seen.
func tell(t *testing.T, name string, at time.Duration) *Story {
	t.Helper()
	for _, scenario := range sim.Builtin() {
		if scenario.Name != name {
			continue
		}
		story, err := Tell(func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }, scenario, at)
		require.NoError(t, err)
		t.Log(story.text(at))
		return story
	}
	require.Fail(t, "no such scenario")
	return nil
}

func (s *Story) text(at time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.Scenario.Name, s.Scenario.Title)
	for _, metric := range [][2]string{
		{"calls", "tencentcloud.reason"},
		{"attempts", "tencentcloud.result"},
		{"retries", "error.type"},
		{"refusals", "tencentcloud.reason"},
		{"wait.time", "tencentcloud.wait"},
		{"breaker.changes", "tencentcloud.breaker"},
		{"rate.changes", "tencentcloud.cause"},
	} {
		figures := s.Metric(metric[0], metric[1])
		for _, name := range figures.Names() {
			fmt.Fprintf(&b, "metric  %s{%s} %.0f\n", metric[0], name, figures[name])
		}
	}
	lines := s.Lines()
	for _, name := range lines.Names() {
		fmt.Fprintf(&b, "log     %.0f x %s\n", lines[name], name)
	}
	seen := map[string]bool{}
	for _, line := range s.Log {
		if kind := line.Message + line.Reason; line.Level >= slog.LevelWarn && !seen[kind] {
			seen[kind] = true
			fmt.Fprintf(&b, "log     %s\n", line.Text)
		}
	}
	for _, row := range s.During.Breakers {
		fmt.Fprintf(&b, "page at %v: breaker of %s %s for %.1f s\n", at, row.Host, row.State, row.Left)
	}
	fmt.Fprintf(&b, "page at %v: %d in line, limit %v\n", at, s.During.Waiting, limitOf(s))
	for _, failure := range s.During.Failures {
		fmt.Fprintf(&b, "page at %v: %d x %s %s, after %d attempts\n", at, failure.Count, failure.Code, failure.Reason, failure.Attempts)
	}
	for reason := range s.Metric("calls", "tencentcloud.reason") {
		report, _ := s.Slowest(tencenthttp.Reason(reason))
		fmt.Fprintf(&b, "report  %s\n", strings.ReplaceAll(report.String(), "\n", "\n        "))
	}
	return b.String()
}

func limitOf(s *Story) string {
	for _, target := range s.During.Targets {
		if target.Limit != nil {
			return fmt.Sprintf("%.1f/s", *target.Limit)
		}
	}
	return "none"
}

// agree checks that all sources tell the same.
func agree(t *testing.T, s *Story) {
	t.Helper()
	calls := s.Metric("calls", "tencentcloud.reason")
	byReport, attempts, waits := Figures{}, 0, tencenthttp.Waits{}
	for _, report := range s.Reports {
		byReport[string(report.Reason)]++
		attempts += len(report.Attempts)
		waits.Backoff += report.Waits.Backoff
		waits.Pacing += report.Waits.Pacing
		waits.Breaker += report.Waits.Breaker
	}
	assert.Equal(t, calls, byReport)
	sent := 0.0
	for _, n := range s.Metric("attempts", "tencentcloud.result") {
		sent += n
	}
	assert.InDelta(t, attempts, sent, .1)
	for kind, wait := range waits.All() {
		assert.InDelta(t, wait.Seconds(), s.Metric("wait.time", "tencentcloud.wait")[string(kind)], .1, kind)
	}
	var onPage, refused uint64
	for _, target := range s.After.Targets {
		onPage += target.Attempts
		refused += target.Refused
	}
	assert.Equal(t, uint64(attempts), onPage)
	var told uint64
	for _, line := range s.Log {
		if line.Message == "refusal" {
			told += 1 + line.LeftOut
		}
	}
	assert.LessOrEqual(t, told, refused)
	for _, line := range s.Log {
		assert.NotContains(t, line.Text, "AKID")
	}
}

// An outage: the metrics say what it cost, the log when, the page for whom, and a report why one call was not sent. How many calls
// the outage hits is drawn, and so is whether the breaker has to open, or the rate comes down before.
func TestStory_OfAnOutage(t *testing.T) {
	story := tell(t, "S2", 60*time.Second)
	agree(t, story)
	cut, opened := story.Metric("rate.changes", "tencentcloud.cause")["fault"], story.Metric("breaker.changes", "tencentcloud.breaker")["open"]
	assert.Positive(t, cut+opened)
	assert.NotZero(t, story.Lines()["INFO rate change"]+story.Lines()["WARN breaker change"])
	refusals := story.Metric("refusals", "tencentcloud.reason")
	require.NotEmpty(t, refusals)
	for reason := range refusals {
		assert.True(t, slices.ContainsFunc(story.After.Failures, func(f status.Failure) bool { return f.Reason == reason }), "on the page")
		report, found := story.Slowest(tencenthttp.Reason(reason))
		require.True(t, found)
		assert.Contains(t, report.String(), "no attempt")
		assert.Contains(t, report.String(), reason)
	}
	assert.Empty(t, story.After.Breakers, "it is over")

	drawing := Waterfall(story.Trace)
	assert.Equal(t, len(story.Trace), strings.Count(drawing, `rx="2"`))
	assert.NoError(t, xml.Unmarshal([]byte(drawing), new(struct{})))
	if *picture != "" {
		require.NoError(t, os.WriteFile(*picture, []byte(drawing), 0o644))
	}
}

// A quota that is too short for the fleet: throttles, and who waits for what.
func TestStory_OfAShortQuota(t *testing.T) {
	story := tell(t, "S5", 60*time.Second)
	agree(t, story)
	assert.Positive(t, story.Metric("attempts", "tencentcloud.result")["throttled"])
	assert.Positive(t, story.Metric("retries", "error.type")["RequestLimitExceeded"])
	waits := story.Metric("wait.time", "tencentcloud.wait")
	assert.Positive(t, waits["backoff"]+waits["pacing"])
	assert.Empty(t, story.During.Breakers, "a throttle is no fault")
}
