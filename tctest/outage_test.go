package tctest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// fate sends a call and says in a word what came of it.
func fate(rt http.RoundTripper, r *http.Request) string {
	resp, err := rt.RoundTrip(r)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "hung"
	case err != nil:
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	switch code := codeOf(string(body)); {
	case err != nil:
		return err.Error()
	case resp.StatusCode != http.StatusOK:
		return resp.Status[:3]
	case code != "":
		return code
	}
	return "ok"
}

func TestOutage_BetweenTwoMoments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(
			tctest.WithOutage(tctest.Outage{From: 10 * time.Second, Until: 20 * time.Second, InternalError: 1}),
			tctest.WithOutage(tctest.Outage{From: 15 * time.Second, Until: 30 * time.Second, Refuse: 1}))
		var got []string
		for range 7 {
			got = append(got, fate(api.RoundTripper(), newCall(t, "X", "{}")))
			time.Sleep(5 * time.Second)
		}
		assert.Equal(t, []string{"ok", "ok", "InternalError", "InternalError", "refused", "refused", "ok"}, got)
		assert.Equal(t, 35*time.Second, api.Elapsed())
	})
}

func TestOutage_SharesInEveryForm(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		const n = 500
		got := map[string]int{}
		for range n {
			got[fate(rt, newCall(t, "X", "{}"))]++
		}
		for word, share := range map[string]float64{"refused": .3, "503": .2, "InternalServerError": .3, "ok": .2} {
			assert.InDelta(t, share*n, got[word], 50, word)
		}
		assert.Len(t, got, 4)
		tally := api.Tally()
		assert.Equal(t, n, tally.Arrived)
		assert.Equal(t, got["refused"], tally.Refused)
		assert.Equal(t, map[string]int{"HTTP 503": got["503"], "InternalServerError": got["InternalServerError"]}, tally.Codes)
		for _, c := range api.Calls() {
			assert.NotContains(t, c.Header, "X-Tctest-Admitted")
		}
	}, tctest.WithOutage(tctest.Outage{Refuse: .3, Unavailable: .2, InternalError: .3, Code: "InternalServerError"}))
}

func TestOutage_OnlyWhereItIs(t *testing.T) {
	api := tctest.New()
	rt := api.RoundTripper()
	get := func(host, region, action string) string {
		r := newCall(t, action, "{}")
		r.Host = host
		r.Header.Set("X-TC-Region", region)
		return fate(rt, r)
	}
	const cvm, near = "cvm.tencentcloudapi.com", "cvm.ap-guangzhou.tencentcloudapi.com"
	api.SetOutages(tctest.Outage{Host: cvm, Refuse: 1})
	assert.Equal(t, []string{"refused", "ok"}, []string{get(cvm, "a", "X"), get(near, "a", "X")})
	api.SetOutages(tctest.Outage{Region: "a", Unavailable: 1})
	assert.Equal(t, []string{"503", "ok"}, []string{get(cvm, "a", "X"), get(cvm, "b", "X")})
	api.SetOutages(tctest.Outage{Action: "X", InternalError: 1})
	assert.Equal(t, []string{"InternalError", "ok"}, []string{get(cvm, "a", "X"), get(cvm, "a", "Y")})
	api.SetOutages(tctest.Outage{Action: "cbs:*", InternalError: 1})
	assert.Equal(t, []string{"ok", "InternalError"}, []string{get(cvm, "a", "X"), get("cbs.tencentcloudapi.com", "a", "X")})
	api.SetOutages()
	assert.Equal(t, "ok", get(cvm, "a", "X"))
}

// 503 and refused come from in front of the quota, InternalError from behind it.
func TestOutage_AndQuota(t *testing.T) {
	api := tctest.New(tctest.WithQuota("*", tctest.TokenBucket(0, 2)))
	get := func() string { return fate(api.RoundTripper(), newCall(t, "X", "{}")) }
	api.SetOutages(tctest.Outage{Unavailable: 1})
	assert.Equal(t, "503", get())
	api.SetOutages(tctest.Outage{Refuse: 1})
	assert.Equal(t, "refused", get())
	api.SetOutages(tctest.Outage{InternalError: 1})
	assert.Equal(t, []string{"InternalError", "InternalError", "RequestLimitExceeded"}, []string{get(), get(), get()})
}

func TestOutage_HangsUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithOutage(tctest.Outage{Hang: 1}))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		assert.Equal(t, "hung", fate(api.RoundTripper(), newCall(t, "X", "{}").WithContext(ctx)))
		assert.Equal(t, 5*time.Second, api.Elapsed())
		assert.Equal(t, 1, api.Tally().Abandoned)
	})
}

// A form hides its action in the body, so that an outage of an action strikes when the body was read.
func TestOutage_OfAnActionInAForm(t *testing.T) {
	api := tctest.New(tctest.WithOutage(tctest.Outage{Action: "X", InternalError: 1}))
	form := func(action string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader("Action="+action))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	assert.Equal(t, "InternalError", fate(api.RoundTripper(), form("X")))
	assert.Equal(t, "ok", fate(api.RoundTripper(), form("Y")))
	api.SetOutages(tctest.Outage{Action: "X", Refuse: 1})
	assert.Equal(t, "refused", fate(api.RoundTripper(), form("X")))
}

func TestOutage_PanicsOnNonsense(t *testing.T) {
	for _, o := range []tctest.Outage{{Hang: -.1}, {Hang: .6, Refuse: .6}, {From: -1}, {From: 2, Until: 1}} {
		assert.Panics(t, func() { tctest.New(tctest.WithOutage(o)) })
		assert.Panics(t, func() { tctest.New().SetOutages(o) })
	}
}
