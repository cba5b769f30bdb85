package tctest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestCalls_SayWhatArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		api := tctest.New(tctest.WithLatency(tctest.Fixed(30*time.Millisecond)), tctest.WithNetworkDelay(tctest.Fixed(5*time.Millisecond)))
		r := newCall(t, "RunInstances", `{"ClientToken":"tok-1"}`)
		r.Header.Set("X-Attempt", "3")
		send(t, api.RoundTripper(), r)
		assert.Equal(t, 40*time.Millisecond, api.Elapsed())
		assert.Equal(t, []tctest.Call{{
			Number: 1, Time: begun.Add(5 * time.Millisecond), Took: 30 * time.Millisecond, Method: "POST", Host: "cvm.tencentcloudapi.com",
			Service: "cvm", Version: "2017-03-12", Action: "RunInstances", Region: "ap-guangzhou", ClientToken: "tok-1", Header: r.Header,
			Body: []byte(`{"ClientToken":"tok-1"}`), BodySize: 23, Outcome: tctest.Answered, Status: 200, RequestID: "00000001-0000-4000-8000-000000000001",
		}}, api.Calls())
	})
}

func TestCalls_Filters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithSeed(0xabc))
		api.Script("X", tctest.Fail("InternalError"), tctest.Unavailable(), tctest.Broken(tctest.CutBeforeAnswer))
		for range 4 {
			fate(api.RoundTripper(), newCall(t, "X", "{}"))
			time.Sleep(time.Second)
		}
		call(t, api.RoundTripper(), "Y")
		numbers := func(filters ...func(*tctest.Call) bool) (n []uint64) {
			for _, c := range api.Calls(filters...) {
				n = append(n, c.Number)
			}
			return n
		}
		assert.Equal(t, []uint64{1, 2, 3, 4, 5}, numbers())
		assert.Equal(t, []uint64{1, 2, 3, 4}, numbers(tctest.ByAction("X")))
		assert.Equal(t, []uint64{4, 5}, numbers(tctest.ByCode("")))
		assert.Equal(t, []uint64{1}, numbers(tctest.ByCode("InternalError", "Other")))
		assert.Equal(t, []uint64{3}, numbers(tctest.ByOutcome(tctest.Dropped)))
		assert.Equal(t, []uint64{3, 4}, numbers(tctest.Since(time.Now().Add(-2*time.Second)), tctest.ByAction("X")))
		assert.Equal(t, "00000abc-0000-4000-8000-000000000005", api.Calls(tctest.ByAction("Y"))[0].RequestID)
		want := tctest.Tally{Arrived: 4, Answered: 3, Dropped: 1, Succeeded: 1, Codes: map[string]int{"InternalError": 1, "HTTP 503": 1}}
		assert.Equal(t, want, api.Tally("X"))
		assert.Equal(t, tctest.Tally{Codes: map[string]int{}}, api.Tally("Z"))
		assert.Equal(t, 5, api.Count())
		assert.Equal(t, 5, api.Count("X", "Y", "Z"))
		api.ResetCalls()
		assert.Empty(t, api.Calls())
		assert.Zero(t, api.Count())
	})
	assert.Equal(t, "pending answered refused dropped abandoned abandoned",
		fmt.Sprint(tctest.Pending, tctest.Answered, tctest.Refused, tctest.Dropped, tctest.Abandoned, tctest.Outcome(9)))
}

func TestWithRecord(t *testing.T) {
	for _, tt := range []struct{ calls, bytes, wantCalls, wantBytes int }{
		{3, 4, 3, 4}, {0, -1, 0, 0}, {-1, -1, 10, 8}, {100, 0, 10, 0}, {1, 100, 1, 8},
	} {
		api := tctest.New(tctest.WithRecord(tt.calls, tt.bytes))
		for range 10 {
			send(t, api.RoundTripper(), newCall(t, "X", "12345678"))
		}
		calls := api.Calls()
		require.Len(t, calls, tt.wantCalls)
		assert.Equal(t, 10, api.Count("X"))
		for i, c := range calls {
			assert.Equal(t, uint64(10-tt.wantCalls+i+1), c.Number)
			assert.Len(t, c.Body, tt.wantBytes)
			assert.Equal(t, 8, c.BodySize)
		}
	}
}

func TestOnCall(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		done := make(chan tctest.Call, 10)
		api.OnCall(func(c tctest.Call) { assert.Equal(t, int(c.Number), api.Count()); done <- c })
		api.Script("X", tctest.Fail("InternalError"), tctest.Broken(tctest.CutDial))
		for _, want := range []tctest.Call{{Outcome: tctest.Answered, Code: "InternalError", Status: 200}, {Outcome: tctest.Refused}, {Outcome: tctest.Answered, Status: 200}} {
			fate(rt, newCall(t, "X", "{}"))
			c := <-done
			assert.Equal(t, want, tctest.Call{Outcome: c.Outcome, Code: c.Code, Status: c.Status})
		}
		assert.Empty(t, api.Calls())
	}, tctest.WithRecord(0, 0))
}

// A request that is under way when the record is emptied turns up in no count.
func TestResetCalls_WhileCallsRun(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded"} {
		api := tctest.New()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, &resetting{api, strings.NewReader("Action=X")})
		require.NoError(t, err)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-TC-Action", map[bool]string{true: "X"}[contentType == "application/json"])
		fate(api.RoundTripper(), r)
		assert.Zero(t, api.Count(), contentType)
		assert.Zero(t, api.Tally().Answered, contentType)
	}
}

// resetting empties the record as soon as it is read.
type resetting struct {
	api *tctest.API
	*strings.Reader
}

func (r *resetting) Read(p []byte) (int, error) {
	r.api.ResetCalls()
	return r.Reader.Read(p)
}
