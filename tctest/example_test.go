package tctest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// do sends one call through a client and prints the answer. An SDK client would do the same and sign it.
func do(client *http.Client, action, params string) {
	req, _ := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(params))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(resp.StatusCode, string(body))
}

// In memory: nothing but a RoundTripper.
func ExampleAPI_RoundTripper() {
	api := tctest.New()
	client := &http.Client{Transport: api.RoundTripper()}
	do(client, "DescribeInstances", `{"Limit":1}`)
	// Output:
	// 200 {"Response":{"RequestId":"00000001-0000-4000-8000-000000000001"}}
}

// Over HTTP: the client keeps the real endpoint, and the transport connects it to the fake.
func ExampleNewServer() {
	srv := tctest.NewServer()
	defer srv.Close()
	do(srv.Client(), "DescribeInstances", `{"Limit":1}`)
	fmt.Println(srv.Calls()[0].Host)
	// Output:
	// 200 {"Response":{"RequestId":"00000001-0000-4000-8000-000000000001"}}
	// cvm.tencentcloudapi.com
}

// A handler is the service: it sees the call taken apart and returns the fields of the answer, or a failure.
func ExampleAPI_Handle() {
	api := tctest.New(tctest.WithStrict())
	api.Handle("DescribeInstances", func(r *tctest.Request) (any, error) {
		var params struct{ Limit int }
		if err := r.Decode(&params); err != nil || params.Limit > 100 {
			return nil, &tctest.Error{Code: "InvalidParameterValue.LimitExceeded", Message: "Limit is at most 100."}
		}
		return map[string]any{"TotalCount": params.Limit, "Region": r.Region}, nil
	})
	client := &http.Client{Transport: api.RoundTripper()}
	do(client, "DescribeInstances", `{"Limit":7}`)
	do(client, "DescribeInstances", `{"Limit":700}`)
	do(client, "DescribeDreams", `{}`)
	// Output:
	// 200 {"Response":{"Region":"ap-guangzhou","TotalCount":7,"RequestId":"00000001-0000-4000-8000-000000000001"}}
	// 200 {"Response":{"Error":{"Code":"InvalidParameterValue.LimitExceeded","Message":"Limit is at most 100."},"RequestId":"00000001-0000-4000-8000-000000000002"}}
	// 200 {"Response":{"Error":{"Code":"InvalidAction","Message":"The action `DescribeDreams` does not exist."},"RequestId":"00000001-0000-4000-8000-000000000003"}}
}

// Twice throttled, then as usual.
func ExampleAPI_Script() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2))
	client := &http.Client{Transport: api.RoundTripper()}
	for range 3 {
		do(client, "DescribeInstances", `{}`)
	}
	// Output:
	// 200 {"Response":{"Error":{"Code":"RequestLimitExceeded.UinLimitExceeded","Message":"The frequency of your requests exceeds the limit. Please reduce the frequency of calls."},"RequestId":"00000001-0000-4000-8000-000000000001"}}
	// 200 {"Response":{"Error":{"Code":"RequestLimitExceeded.UinLimitExceeded","Message":"The frequency of your requests exceeds the limit. Please reduce the frequency of calls."},"RequestId":"00000001-0000-4000-8000-000000000002"}}
	// 200 {"Response":{"RequestId":"00000001-0000-4000-8000-000000000003"}}
}

// The call is carried out, but its answer gets lost: was the machine made or not?
func ExampleNormal() {
	made := 0
	api := tctest.New()
	api.Handle("RunInstances", func(*tctest.Request) (any, error) { made++; return nil, nil })
	api.Script("RunInstances", tctest.Normal().CutAt(tctest.CutBeforeAnswer, 0))
	do(&http.Client{Transport: api.RoundTripper()}, "RunInstances", `{}`)
	fmt.Println("made:", made)
	// Output:
	// error: Post "https://cvm.tencentcloudapi.com/": EOF
	// made: 1
}

// An answer in detail: status, Retry-After, a delay, and a stall after 20 bytes.
func ExampleAnswer() {
	api := tctest.New()
	api.Script("*",
		tctest.Unavailable().RetryAfter(2*time.Second).After(time.Millisecond),
		tctest.Success(map[string]int{"TotalCount": 1}).StallAt(20, time.Millisecond),
		tctest.Success(nil).CutAt(tctest.CutInBody, 10))
	client := &http.Client{Transport: api.RoundTripper()}
	resp, err := client.Get("https://cvm.tencentcloudapi.com/?Action=DescribeInstances")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get("Retry-After"))
	do(client, "DescribeInstances", `{}`)
	do(client, "DescribeInstances", `{}`)
	// Output:
	// 503 Service Unavailable 2
	// 200 {"Response":{"TotalCount":1,"RequestId":"00000001-0000-4000-8000-000000000002"}}
	// error: unexpected EOF
}

// Server-sent events, the second one a millisecond after the first.
func ExampleEventStream() {
	api := tctest.New()
	api.Script("ChatCompletions", tctest.EventStream(
		tctest.Event{Data: `{"Delta":"Hel"}`},
		tctest.Event{Data: `{"Delta":"lo"}`, Pause: time.Millisecond}))
	do(&http.Client{Transport: api.RoundTripper()}, "ChatCompletions", `{"Stream":true}`)
	// Output:
	// 200 data: {"Delta":"Hel"}
	//
	// data: {"Delta":"lo"}
}

// Two calls an hour for every action, account and region; the third is throttled.
func ExampleAPI_SetQuota() {
	api := tctest.New()
	api.SetQuota("*", tctest.TokenBucket(2.0/3600, 2))
	client := &http.Client{Transport: api.RoundTripper()}
	for range 3 {
		req, _ := http.NewRequest(http.MethodGet, "https://cvm.tencentcloudapi.com/?Action=DescribeInstances", nil)
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	fmt.Println(api.Tally().Succeeded, api.Tally().Codes)
	// Output:
	// 2 map[RequestLimitExceeded:1]
}

// An outage that is switched on and off while the test runs.
func ExampleAPI_SetOutages() {
	api := tctest.New()
	client := &http.Client{Transport: api.RoundTripper()}
	api.SetOutages(tctest.Outage{Refuse: 1})
	_, err := client.Get("https://cvm.tencentcloudapi.com/?Action=DescribeInstances")
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	api.SetOutages()
	do(client, "DescribeInstances", `{}`)
	// Output:
	// true
	// 200 {"Response":{"RequestId":"00000001-0000-4000-8000-000000000002"}}
}

// A brownout in virtual time, for a test that runs in a testing/synctest bubble: for a minute the service can do 5 calls a second
// and sheds what would wait for more than 8 s; then it is itself again.
func ExampleAPI_At() {
	api := tctest.New(
		tctest.WithNetworkDelay(tctest.Between(5*time.Millisecond, 15*time.Millisecond)),
		tctest.WithLatency(tctest.Fixed(30*time.Millisecond)),
		tctest.WithCapacity(tctest.Capacity{Rate: 25, MaxQueue: 8 * time.Second}))
	api.At(45*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 5, MaxQueue: 8 * time.Second}) })
	api.At(105*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 25, MaxQueue: 8 * time.Second}) })
	do(&http.Client{Transport: api.RoundTripper()}, "DescribeInstances", `{}`)
	// Output:
	// 200 {"Response":{"RequestId":"00000001-0000-4000-8000-000000000001"}}
}

// With credentials, signatures are checked as the real service checks them.
func ExampleAPI_SetCredential() {
	api := tctest.New(tctest.WithClockOffset(10 * time.Minute))
	api.SetCredential("AKIDexample", "secret", "")
	client := &http.Client{Transport: api.RoundTripper()}
	req, _ := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(`{}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", "DescribeInstances")
	now := time.Now()
	req = signer{id: "AKIDexample", key: "secret", now: now}.tc3(req) // an SDK does that
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(api.Calls()[0].Code)
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	fmt.Println("the service is ahead by", date.Sub(now).Round(time.Minute))
	// Output:
	// AuthFailure.SignatureExpire
	// the service is ahead by 10m0s
}

// The record says what arrived and what became of it.
func ExampleAPI_Calls() {
	api := tctest.New()
	api.Script("RunInstances", tctest.Fail("InternalError"), tctest.Broken(tctest.CutBeforeAnswer))
	client := &http.Client{Transport: api.RoundTripper()}
	for range 3 {
		req, _ := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(`{"ClientToken":"tok-1"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-TC-Action", "RunInstances")
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	for _, c := range api.Calls(tctest.ByAction("RunInstances")) {
		fmt.Printf("%d %s %v %q\n", c.Number, c.ClientToken, c.Outcome, c.Code)
	}
	tally := api.Tally()
	fmt.Println(tally.Arrived, "arrived,", tally.Succeeded, "succeeded,", tally.Dropped, "dropped,", tally.Codes["InternalError"], "failed")
	// Output:
	// 1 tok-1 answered "InternalError"
	// 2 tok-1 dropped ""
	// 3 tok-1 answered ""
	// 3 arrived, 1 succeeded, 1 dropped, 1 failed
}

// Follow the calls as they happen.
func ExampleAPI_OnCall() {
	api := tctest.New()
	api.OnCall(func(c tctest.Call) { fmt.Println(c.Number, c.Action, c.Outcome, c.Status, c.Code) })
	api.Script("*", tctest.Fail("ResourceInUse"))
	client := &http.Client{Transport: api.RoundTripper()}
	do(client, "TerminateInstances", `{}`)
	// Output:
	// 1 TerminateInstances answered 200 ResourceInUse
	// 200 {"Response":{"Error":{"Code":"ResourceInUse","Message":"The request failed with ResourceInUse."},"RequestId":"00000001-0000-4000-8000-000000000001"}}
}
