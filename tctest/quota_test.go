package tctest_test

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// accepted sends n calls at once and returns how many were not throttled.
func accepted(t *testing.T, rt http.RoundTripper, action string, n int) int {
	ok := 0
	for range n {
		if code := call(t, rt, action); code == "" {
			ok++
		} else {
			assert.Equal(t, "RequestLimitExceeded", code)
		}
	}
	return ok
}

func TestQuota_TokenBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithQuota("X", tctest.TokenBucket(2, 3)))
		rt := api.RoundTripper()
		assert.Equal(t, 3, accepted(t, rt, "X", 5), "the burst")
		assert.Equal(t, 10, accepted(t, rt, "Y", 10), "another action has no quota")
		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, 1, accepted(t, rt, "X", 2))
		time.Sleep(499 * time.Millisecond)
		assert.Equal(t, 0, accepted(t, rt, "X", 1))
		time.Sleep(time.Millisecond)
		assert.Equal(t, 1, accepted(t, rt, "X", 2))
		time.Sleep(time.Hour)
		assert.Equal(t, 3, accepted(t, rt, "X", 5), "full again, and no fuller")
	})
}

// Refills in small steps add up to whole tokens.
func TestQuota_TokenBucketLosesNoFractions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := tctest.New(tctest.WithQuota("X", tctest.TokenBucket(0.7, 1))).RoundTripper()
		ok := 0
		for range 10_000 { // 1,000 s
			ok += accepted(t, rt, "X", 1)
			time.Sleep(100 * time.Millisecond)
		}
		// 1 and 0.7 a second, but for what a full bucket spills while waiting for the next try: 15 steps of 100 ms a token, 1.5 s for 1.05.
		assert.InDelta(t, 1000/1.5, ok, 2)
	})
}

func TestQuota_FixedWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := tctest.New(tctest.WithQuota("X", tctest.FixedWindow(2, time.Second))).RoundTripper()
		time.Sleep(900 * time.Millisecond)
		assert.Equal(t, 2, accepted(t, rt, "X", 3))
		time.Sleep(100 * time.Millisecond)
		assert.Equal(t, 2, accepted(t, rt, "X", 3), "a new window, on the full second")
		time.Sleep(999 * time.Millisecond)
		assert.Equal(t, 0, accepted(t, rt, "X", 1))
	})
}

func TestQuota_IsPerAccountRegionAndAction(t *testing.T) {
	api := tctest.New(tctest.WithQuota("*", tctest.TokenBucket(0, 1)), tctest.WithAccount("both", "AKIDa", "AKIDb"))
	send := func(id, region, action string) string {
		r := signer{id: id, now: time.Now()}.tc3(newCall(t, action, "{}"))
		r.Header.Set("X-TC-Region", region)
		return codeOf(send(t, api.RoundTripper(), r))
	}
	assert.Empty(t, send("AKIDa", "ap-guangzhou", "X"))
	assert.Equal(t, "RequestLimitExceeded", send("AKIDa", "ap-guangzhou", "X"))
	assert.Equal(t, "RequestLimitExceeded", send("AKIDb", "ap-guangzhou", "X"), "the same account")
	assert.Empty(t, send("AKIDc", "ap-guangzhou", "X"))
	assert.Empty(t, send("AKIDa", "ap-beijing", "X"))
	assert.Empty(t, send("AKIDa", "ap-guangzhou", "Y"))
}

func TestQuota_TheMostExactOneCounts(t *testing.T) {
	api := tctest.New(
		tctest.WithQuota("*", tctest.TokenBucket(0, 1)), tctest.WithQuota("cvm:*", tctest.TokenBucket(0, 2)),
		tctest.WithQuota("X", tctest.TokenBucket(0, 3)), tctest.WithQuota("cvm:X", tctest.Quota{Rate: 0, Burst: 4, Code: "LimitExceeded.TooFrequentlyCalled"}),
		tctest.WithQuota("cvm:Free", tctest.Quota{}))
	codes := func(host, action string) (ok int, last string) {
		for range 10 {
			r := newCall(t, action, "{}")
			r.Host = host
			if last = codeOf(send(t, api.RoundTripper(), r)); last == "" {
				ok++
			}
		}
		return ok, last
	}
	for _, tt := range []struct {
		host, action string
		ok           int
		last         string
	}{
		{"cvm.tencentcloudapi.com", "X", 4, "LimitExceeded.TooFrequentlyCalled"},
		{"cvm.tencentcloudapi.com", "Y", 2, "RequestLimitExceeded"},
		{"cvm.tencentcloudapi.com", "Free", 10, ""},
		{"cbs.tencentcloudapi.com", "X", 3, "RequestLimitExceeded"},
		{"cbs.tencentcloudapi.com", "Y", 1, "RequestLimitExceeded"},
	} {
		ok, last := codes(tt.host, tt.action)
		assert.Equal(t, tt.ok, ok, tt)
		assert.Equal(t, tt.last, last, tt)
	}
}

func TestQuota_ChangesWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithQuota("X", tctest.TokenBucket(20, 20)))
		rt := api.RoundTripper()
		assert.Equal(t, 20, accepted(t, rt, "X", 30))
		time.Sleep(500 * time.Millisecond)
		api.SetQuota("X", tctest.TokenBucket(5, 5))
		assert.Equal(t, 5, accepted(t, rt, "X", 30), "ten tokens came, five fit")
		time.Sleep(time.Second)
		api.SetQuota("X", tctest.TokenBucket(50, 50))
		assert.Equal(t, 5, accepted(t, rt, "X", 60), "the past second earned at the old rate")
		time.Sleep(time.Second)
		assert.Equal(t, 50, accepted(t, rt, "X", 60))
		api.SetQuota("X", tctest.Quota{})
		assert.Equal(t, 100, accepted(t, rt, "X", 100))
	})
}

func TestQuota_MessageIsLikeTheRealOne(t *testing.T) {
	api := tctest.New(tctest.WithQuota("X", tctest.TokenBucket(20, 1)), tctest.WithQuota("Y", tctest.FixedWindow(0, time.Second)),
		tctest.WithQuota("Z", tctest.FixedWindow(0, time.Minute)))
	send(t, api.RoundTripper(), newCall(t, "X", "{}"))
	for action, want := range map[string]string{
		"X": "exceeds the frequency limit `20` for a second.", "Y": "exceeds the frequency limit `0` for a second.", "Z": "exceeds the frequency limit `0` for 1m0s.",
	} {
		assert.Contains(t, send(t, api.RoundTripper(), newCall(t, action, "{}")), want)
	}
}

func TestQuota_PanicsOnNonsense(t *testing.T) {
	for name, q := range map[string]tctest.Quota{
		"negative rate": {Rate: -1, Burst: 1}, "not a number": {Rate: math.NaN(), Burst: 1}, "infinite": {Rate: math.Inf(1), Burst: 1},
		"no burst": {Rate: 1}, "negative burst": {Rate: 1, Burst: -1}, "both kinds": {Rate: 1, Burst: 1, Limit: 1, Window: 1},
		"no window": {Limit: 1}, "negative limit": {Limit: -1, Window: 1},
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, func() { tctest.New(tctest.WithQuota("X", q)) }) })
	}
}
