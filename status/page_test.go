package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

const (
	secretID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	signature = "deadbeefdeadbeef"
	token     = "token-of-a-role"
	password  = "password-in-the-body"
)

func newRequest(ctx context.Context, action, id string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://cvm.tencentcloudapi.com/?Secret="+token, strings.NewReader(`{"Password":"`+password+`"}`))
	if err != nil {
		panic(err)
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Tc-Action": {action}, "X-Tc-Region": {"ap-guangzhou"}, "X-Tc-Token": {token},
		"Authorization": {"TC3-HMAC-SHA256 Credential=" + id + "/2026-01-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=" + signature},
	}
	return req
}

// newWatched returns a Transport and a page that shows it.
func newWatched(t testing.TB, base http.RoundTripper, opts ...tencenthttp.Option) (*Page, *tencenthttp.Transport) {
	t.Helper()
	page := New()
	rt, err := tencenthttp.NewTransport(base, append(opts, page.Option())...)
	require.NoError(t, err)
	return page, rt
}

func call(ctx context.Context, rt http.RoundTripper, action string) error {
	resp, err := rt.RoundTrip(newRequest(ctx, action, secretID))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func get(page *Page, target string, accept ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header["Accept"] = accept
	page.ServeHTTP(w, r)
	return w
}

func TestPage_ShowsWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("DescribeInstances", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError").Times(2)))
		page, rt := newWatched(t, api.RoundTripper(), tencenthttp.WithRateLimit(.1, 1), tencenthttp.WithMaxAttempts(2), tencenthttp.WithoutPacing(),
			tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 2, FailureRatio: 1, Window: time.Minute}))
		require.NoError(t, call(t.Context(), rt, "DescribeInstances")) // throttled, waits 10 s, InternalError: attempts used up
		var wg sync.WaitGroup
		wg.Go(func() { _ = call(t.Context(), rt, "DescribeInstances") }) // waits 10 s, InternalError: breaker open
		time.Sleep(5 * time.Second)
		s := page.Snapshot()
		require.Len(t, s.Targets, 1)
		assert.Equal(t, 1, s.Targets[0].Waiting)
		assert.Equal(t, 1, s.Waiting)
		assert.Contains(t, get(page, "/").Body.String(), "1 in line")
		wg.Wait()

		s = page.Snapshot()
		target := s.Targets[0]
		assert.Equal(t, "DescribeInstances", target.Action)
		assert.InDelta(t, .1, *target.Limit, 1e-9)
		assert.Equal(t, []uint64{2, 3, 1, 1, 2, 1}, []uint64{target.Calls, target.Attempts, target.Retries, target.Throttled, target.Faults, target.Refused})
		assert.Equal(t, "open", target.Breaker)
		assert.Equal(t, []Breaker{{Host: "cvm.tencentcloudapi.com", Region: "ap-guangzhou", State: "open", Left: target.OpenFor}}, s.Breakers)
		assert.Equal(t, []uint32{1, 0, 0}, target.History.Throttled[57:])
		assert.Equal(t, []uint32{0, 1, 1}, target.History.Faults[57:])
		assert.InDeltaSlice(t, []float32{10, 10, 0}, target.History.Waited[57:], .01, "in the time in which they waited")
		assert.Equal(t, target.History.Throttled, s.Total.Throttled)
		require.Len(t, s.Failures, 2)
		assert.InDelta(t, 10, s.Failures[0].Elapsed, .01)
		assert.InDelta(t, 10, s.Failures[0].Waited, .01)
		s.Failures[0].Elapsed, s.Failures[0].Waited = 0, 0
		assert.Equal(t, Failure{
			Service: "cvm", Action: "DescribeInstances", Region: "ap-guangzhou", Host: "cvm.tencentcloudapi.com",
			Reason: "breaker open", Code: "InternalError", Status: 200, Count: 1, Last: time.Now(),
			RequestID: api.Calls()[2].RequestID, Attempts: 1,
		}, s.Failures[0])
		html := get(page, "/").Body.String()
		for _, seen := range []string{
			"DescribeInstances", "ap-guangzhou", "open for ", "breaker of cvm.tencentcloudapi.com, ap-guangzhou: refuses every call for another ",
			api.Calls()[1].RequestID, api.Calls()[2].RequestID, "attempts used up", "limit 0.1/s", `<path class="throttled"`,
		} {
			assert.Contains(t, html, seen)
		}
	})
}

func TestPage_Empty(t *testing.T) {
	html := get(New(WithTitle("Orders & more"), WithRefresh(0)), "/").Body.String()
	for _, seen := range []string{"Orders &amp; more", "No call yet.", "No breaker is open.", "None."} {
		assert.Contains(t, html, seen)
	}
	assert.NotContains(t, html, "http-equiv")
}

func TestPage_JSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, rt := newWatched(t, tctest.New().RoundTripper())
		require.NoError(t, call(t.Context(), rt, "DescribeInstances"))
		for _, row := range []struct {
			accept []string
			json   bool
		}{
			{[]string{"application/json"}, true},
			{[]string{"text/plain", "application/json;q=0.5"}, true},
			{[]string{"text/html,application/xhtml+xml,*/*;q=0.8"}, false},
			{[]string{"application/json;q=0.5, text/html"}, false},
			{[]string{"application/json, text/html;q=0.9"}, true},
			{[]string{"*/*"}, false},
			{[]string{";;;"}, false},
			{nil, false},
		} {
			w := get(page, "/", row.accept...)
			kind := map[bool]string{true: "application/json", false: "text/html; charset=utf-8"}[row.json]
			assert.Equal(t, kind, w.Header().Get("Content-Type"), row.accept)
			if row.json {
				var s Snapshot
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &s))
				assert.Equal(t, page.Snapshot().Targets, s.Targets)
			}
		}
	})
}

func TestPage_Headers(t *testing.T) {
	w := get(New(), "/?refresh=0")
	for _, directive := range []string{"default-src 'none'", "style-src 'sha256-", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), directive)
	}
	assert.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	assert.Equal(t, fmt.Sprint(w.Body.Len()), w.Header().Get("Content-Length"))
	assert.NotContains(t, w.Body.String(), "http-equiv", "it is paused")
	assert.Contains(t, get(New(WithRefresh(7*time.Second)), "/").Body.String(), `<meta http-equiv="refresh" content="7">`)
	assert.NotContains(t, w.Body.String(), "<script")
	assert.NotContains(t, w.Body.String(), "style=")
	assert.Contains(t, w.Body.String(), "<style>"+pageCSS+"</style>", "as the policy's hash has it")

	w = httptest.NewRecorder()
	New().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}

func TestPage_EscapesEverything(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	api := tctest.New(tctest.WithScript("*", tctest.Answer{Status: 200, Body: []byte(`{"Response":{"Error":{"Code":"` + strings.ReplaceAll(evil, `"`, `\"`) + `","Message":"m"},"RequestId":"<b>id</b>"}}`)}.Forever()))
	page, rt := newWatched(t, api.RoundTripper())
	req := newRequest(t.Context(), evil, secretID)
	req.Header.Set("X-TC-Region", evil)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	html := get(page, "/").Body.String()
	assert.Contains(t, html, "&lt;script&gt;")
	assert.Contains(t, html, "&lt;b&gt;id")
	for _, raw := range []string{"<script", "<img", "<b>id"} {
		assert.NotContains(t, html, raw)
	}
}

func TestPage_C41_NoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError"), tctest.Broken(tctest.CutBeforeAnswer), tctest.Unavailable().Forever()))
		page, rt := newWatched(t, api.RoundTripper(), tencenthttp.WithRateLimit(5, 1), tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 9}))
		for range 10 {
			for _, id := range []string{secretID, "AKIDanother"} {
				if resp, err := rt.RoundTrip(newRequest(t.Context(), "RunInstances", id)); err == nil {
					resp.Body.Close()
				}
			}
		}
		text := get(page, "/").Body.String() + get(page, "/", "application/json").Body.String()
		assert.Contains(t, text, "account 2")
		for _, stats := range rt.Stats() {
			require.Len(t, stats.Target.Account, 16)
			assert.NotContains(t, text, stats.Target.Account)
		}
		for _, secret := range []string{secretID, "AKID", signature, token, password, "Password"} {
			assert.NotContains(t, text, secret)
		}
	})
}

func TestPage_ForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, rt := newWatched(t, tctest.New().RoundTripper())
		require.NoError(t, call(t.Context(), rt, "DescribeInstances"))
		sum := func() (n uint32) {
			for _, v := range page.Snapshot().Targets[0].History.Succeeded {
				n += v
			}
			return n
		}
		assert.Equal(t, uint32(1), sum())
		time.Sleep(590 * time.Second)
		assert.Equal(t, uint32(1), sum())
		time.Sleep(10 * time.Second)
		assert.Zero(t, sum())
		time.Sleep(time.Hour)
		assert.Zero(t, sum())
		require.NoError(t, call(t.Context(), rt, "DescribeInstances"))
		assert.Equal(t, uint32(1), sum())
	})
}

func TestPage_ALearnedRateIsDrawnUntilItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := New()
		target := tencenthttp.Target{Service: "cvm", Action: "DescribeInstances"}
		page.hooks().RateChange(t.Context(), tencenthttp.RateChangeInfo{Target: target, From: rate.Inf, To: 12})
		time.Sleep(30 * time.Second)
		page.hooks().RateChange(t.Context(), tencenthttp.RateChangeInfo{Target: target, From: 12, To: rate.Inf})
		page.mu.Lock()
		defer page.mu.Unlock()
		history := newHistory(page.targets[target].last(time.Now()))
		assert.Equal(t, []float32{0, 12, 12, 12, 0}, history.Limit[55:])
	})
}

// busy returns a page with that many targets, all of them busy for ten minutes in all colours.
func busy(t testing.TB, n int) *Page {
	api := tctest.New(tctest.WithRecord(0, 0))
	page, rt := newWatched(t, api.RoundTripper(), tencenthttp.WithRateLimit(1e6, 1e6))
	for i := range n {
		require.NoError(t, call(t.Context(), rt, fmt.Sprintf("DescribeSomethingWithALongName%d", i)))
	}
	page.mu.Lock()
	defer page.mu.Unlock()
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, s := range page.targets {
		for i := range s.ring {
			s.ring[i] = counts{
				succeeded: rnd.Uint32N(1000), throttled: rnd.Uint32N(1000), faults: rnd.Uint32N(1000), failed: rnd.Uint32N(1000),
				waited: float32(rnd.IntN(100)), limit: float32(rnd.IntN(300)),
			}
		}
	}
	for i := range 2 * maxFailures {
		page.failures.add(tencenthttp.DoneInfo{Reason: tencenthttp.ReasonFatal, Code: fmt.Sprintf("InvalidParameterValue.Number%d", i)}, time.Now())
	}
	return page
}

func TestPage_OfTenThousandTargetsIsSmall(t *testing.T) {
	page := busy(t, 10_000)
	for _, accept := range []string{"text/html", "application/json"} {
		w := get(page, "/", accept)
		assert.Less(t, w.Body.Len(), 1_000_000, accept)
		assert.Greater(t, w.Body.Len(), 200_000, accept)
	}
	html := get(page, "/").Body.String()
	assert.Equal(t, maxShown, strings.Count(html, "<article>"))
	assert.Contains(t, html, "The 200 that matter most of 10000")
	assert.Equal(t, maxFailures, strings.Count(html, "<td>fatal</td>"))
}

func TestPage_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := New()
		attempt := page.hooks().Attempt
		for i := range 3 * maxTargets {
			attempt(t.Context(), tencenthttp.AttemptInfo{Target: tencenthttp.Target{Action: fmt.Sprint(i)}})
			if i%1000 == 999 {
				time.Sleep(step)
			}
		}
		assert.LessOrEqual(t, len(page.targets), maxTargets)
		assert.Contains(t, page.targets, tencenthttp.Target{Action: fmt.Sprint(3*maxTargets - 1)}, "the latest stays")
		assert.NotContains(t, page.targets, tencenthttp.Target{Action: "0"})
	})
}

func BenchmarkPage_TenThousandTargets(b *testing.B) {
	page := busy(b, 10_000)
	for _, accept := range []string{"text/html", "application/json"} {
		b.Run("accept="+accept, func(b *testing.B) {
			for b.Loop() {
				get(page, "/", accept)
			}
		})
	}
}

func BenchmarkPage_Attempt(b *testing.B) {
	attempt := New().hooks().Attempt
	info := tencenthttp.AttemptInfo{Target: tencenthttp.Target{Service: "cvm", Action: "DescribeInstances", Region: "ap-guangzhou", Host: "cvm.tencentcloudapi.com"}}
	for b.Loop() {
		attempt(b.Context(), info)
	}
}
