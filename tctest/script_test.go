package tctest_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestScript_InOrderThenAsUsual(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		api.Script("X", tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2), tctest.Fail("InternalError"))
		api.Script("*", tctest.Fail("ResourceInUse"))
		api.Script("cbs:X", tctest.Fail("Never"))
		assert.Equal(t, 3, api.Pending("X"))
		var got []string
		for range 5 {
			got = append(got, call(t, rt, "X"))
		}
		const throttle = "RequestLimitExceeded.UinLimitExceeded"
		assert.Equal(t, []string{throttle, throttle, "InternalError", "ResourceInUse", ""}, got)
		assert.Equal(t, []int{0, 0, 1}, []int{api.Pending("X"), api.Pending("*"), api.Pending("cbs:X")})
	})
}

func TestScript_ForeverUntilCleared(t *testing.T) {
	api := tctest.New()
	rt := api.RoundTripper()
	api.Script("X", tctest.Fail("InternalError").Forever(), tctest.Fail("Never"))
	api.Script("Y", tctest.Fail("InternalError").Forever())
	for range 10 {
		assert.Equal(t, "InternalError", call(t, rt, "X"))
	}
	assert.Equal(t, 1, api.Pending("X"))
	api.ClearScripts("X")
	assert.Equal(t, []string{"", "InternalError"}, []string{call(t, rt, "X"), call(t, rt, "Y")})
	api.ClearScripts()
	assert.Empty(t, call(t, rt, "Y"))
}

func TestScript_ComesBeforeOutageAndQuota(t *testing.T) {
	inAllForms(t, func(t *testing.T, _ *tctest.API, rt http.RoundTripper) {
		got := make([]string, 0, 6)
		for range 6 {
			got = append(got, fate(rt, newCall(t, "X", "{}")))
		}
		assert.Equal(t, []string{"ok", "ok", "FailedOperation", "refused", "refused", "refused"}, got)
	}, tctest.WithOutage(tctest.Outage{Refuse: 1}), tctest.WithQuota("*", tctest.FixedWindow(0, 1)),
		tctest.WithScript("X", tctest.Success(nil).Times(2), tctest.Fail("FailedOperation"), tctest.Broken(tctest.CutDial), tctest.Normal()))
}

// Normal spoils the answer of a call that is carried out.
func TestScript_NormalSpoilsTheUsualAnswer(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		var mu sync.Mutex
		var made []string
		api.Handle("RunInstances", func(r *tctest.Request) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, r.ClientToken())
			return map[string]int{"Made": len(made)}, nil
		})
		api.Script("RunInstances", tctest.Normal().CutAt(tctest.CutBeforeAnswer, 0), tctest.Normal().With("Retry-After", "7"),
			tctest.Normal().CutAt(tctest.CutInBody, -1), tctest.Normal().StallAt(3, 1).After(1))
		_, err := rt.RoundTrip(newCall(t, "RunInstances", `{"ClientToken":"a"}`))
		assert.Error(t, err)
		resp, err := rt.RoundTrip(newCall(t, "RunInstances", `{"ClientToken":"b"}`))
		assert.NoError(t, err)
		assert.Equal(t, "7", resp.Header.Get("Retry-After"))
		assert.NoError(t, resp.Body.Close())
		assert.Contains(t, fate(rt, newCall(t, "RunInstances", `{"ClientToken":"c"}`)), "E") // unexpected EOF, or stream error
		assert.Contains(t, send(t, rt, newCall(t, "RunInstances", `{"ClientToken":"d"}`)), `{"Made":4,`)
		assert.Equal(t, []string{"a", "b", "c", "d"}, made)
	})
}

func TestScript_ConcurrentCallsTakeEachAnswerOnce(t *testing.T) {
	api := tctest.New()
	const n = 200
	for i := range n {
		api.Script("X", tctest.Fail(fmt.Sprintf("Code%d", i)))
	}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { call(t, api.RoundTripper(), "X") })
	}
	wg.Wait()
	codes := api.Tally().Codes
	assert.Len(t, codes, n)
	for code, times := range codes {
		assert.Equal(t, 1, times, code)
	}
}

func TestAnswer_MethodsDoNotChangeTheOriginal(t *testing.T) {
	original := tctest.Raw(200, "text/plain", "x")
	_ = original.With("Content-Type", "text/html").RetryAfter(1).Times(3).After(1)
	assert.Equal(t, tctest.Raw(200, "text/plain", "x"), original)
	assert.Panics(t, func() { original.Times(0) })
	assert.Panics(t, func() { tctest.New().Script("X", tctest.Raw(100, "", "")) })
	for d, want := range map[time.Duration]string{0: "0", 1: "1", time.Second: "1", 1500 * time.Millisecond: "2", -time.Second: "-1", time.Hour: "3600"} {
		assert.Equal(t, want, original.RetryAfter(d).Header.Get("Retry-After"), d)
	}
	assert.Equal(t, "none dial before read before answer in body Cut(9)", fmt.Sprint(tctest.CutNone, " ", tctest.CutDial, " ",
		tctest.CutBeforeRead, " ", tctest.CutBeforeAnswer, " ", tctest.CutInBody, " ", tctest.Cut(9)))
}

func TestHandle(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		api.Handle("Wrapped", func(*tctest.Request) (any, error) {
			return nil, fmt.Errorf("no: %w", &tctest.Error{Code: "ResourceNotFound"})
		})
		api.Handle("Plain", func(*tctest.Request) (any, error) { return nil, errors.New("disk full") })
		api.Handle("Answer", func(*tctest.Request) (any, error) { return tctest.Unavailable().RetryAfter(2e9), nil })
		api.Handle("cvm:Exact", func(*tctest.Request) (any, error) { return nil, &tctest.Error{Code: "A", Message: "m"} })
		api.Handle("Exact", func(*tctest.Request) (any, error) { return nil, &tctest.Error{Code: "B"} })
		assert.Equal(t, "ResourceNotFound", call(t, rt, "Wrapped"))
		assert.Contains(t, send(t, rt, newCall(t, "Plain", "{}")), `"Code":"InternalError","Message":"disk full"`)
		assert.Equal(t, "503", fate(rt, newCall(t, "Answer", "{}")))
		assert.Contains(t, send(t, rt, newCall(t, "Exact", "{}")), `"Code":"A","Message":"m"`)
		api.Handle("cvm:Exact", nil)
		assert.Equal(t, "B", call(t, rt, "Exact"))
		assert.Empty(t, call(t, rt, "Other"))
		assert.Equal(t, "MissingParameter", call(t, rt, ""))
		api.Handle("", func(*tctest.Request) (any, error) { return nil, nil })
		assert.Empty(t, call(t, rt, ""))
	})
	assert.Equal(t, "A: The request failed with A.", (&tctest.Error{Code: "A"}).Error())
}

func TestWithStrict(t *testing.T) {
	api := tctest.New(tctest.WithStrict(), tctest.WithHandler("X", func(*tctest.Request) (any, error) { return nil, nil }))
	rt := api.RoundTripper()
	api.Script("Scripted", tctest.Success(nil))
	assert.Equal(t, []string{"", "", "InvalidAction", "InvalidAction"}, []string{call(t, rt, "X"), call(t, rt, "Scripted"), call(t, rt, "Scripted"), call(t, rt, "Y")})
	assert.Equal(t, "InvalidParameter", codeOf(send(t, rt, newCall(t, "X", "{"))))
	assert.Empty(t, codeOf(send(t, rt, newCall(t, "X", ""))))
}
