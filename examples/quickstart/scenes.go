package main

import (
	"errors"
	"fmt"
	"time"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// The codes that the SDK makes up where the API gave none.
const (
	networkError = "ClientError.NetworkError"
	noJSON       = "ClientError.ParseJsonError" // the HTML page of a load balancer
)

var scenes = []scene{
	{"Nothing is wrong", []act{normalCalls}},
	{"Too many calls", []act{burst, crowdedAccount}},
	{"The service fails for a while", []act{internalErrors}},
	{"An error that no retry can help", []act{wrongKey}},
	{"The connection dies after the request was written", []act{purchase, purchaseWithToken, lostAnswer}},
	{"A region is down, and comes back", []act{outage, openBreaker, otherRegion, recovery}},
	{"Signatures", []act{wrongClock, clockSetRight, rotatedKey}}, // the last one: it takes the key from all others
}

var normalCalls = act{
	call:    "3 different calls",
	service: "answers",
	perform: func(s *side) []error {
		return []error{s.guangzhou.describeZones(), s.guangzhou.describeInstances(), s.guangzhou.describeDatabases()}
	},
	with:    want{3, "3 ok"},
	without: want{3, "3 ok"},
}

const burstSize = 60

var burst = act{
	call:    "60 DescribeDCDBInstances at once",
	service: "allows 20 a second",
	perform: func(s *side) []error { return atOnce(burstSize, s.guangzhou.describeDatabases) },
	check: func(s *side, o outcome) error {
		served, throttled := o.count("ok"), s.cloud.Tally().Codes["RequestLimitExceeded"]
		if o.wire != served+throttled {
			return fmt.Errorf("%d requests, but %d answers and %d throttled", o.wire, served, throttled)
		}
		if s.transport != nil {
			return expect(o.returned, "60 ok")
		}
		if quota := 21 + int(20*o.took.Seconds()); served > quota || served+o.count("RequestLimitExceeded") != burstSize {
			return fmt.Errorf("%s, but the quota was %d", o.returned, quota)
		}
		return nil
	},
	moral: "Those beyond the quota stand in line instead of failing.",
}

var crowdedAccount = act{
	call:    "DescribeInstances",
	service: "throttles it twice: the quota is shared",
	prepare: func(s *side) {
		s.cloud.Script("DescribeInstances", tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2))
	},
	perform: func(s *side) []error { return inTurn(1, s.guangzhou.describeInstances) },
	with:    want{3, "ok"},
	without: want{1, "RequestLimitExceeded.UinLimitExceeded"},
	moral:   "The answer was HTTP 200 each time: only its code says that it may be sent again.",
}

var internalErrors = act{
	call:    "5 DescribeInstances in turn",
	service: "fails 3 times, then heals",
	prepare: func(s *side) { s.cloud.Script("DescribeInstances", tctest.Fail("InternalError").Times(3)) },
	perform: func(s *side) []error { return inTurn(5, s.guangzhou.describeInstances) },
	with:    want{8, "5 ok"},
	without: want{5, "2 ok, 3 InternalError"},
}

var wrongKey = act{
	call:    "DescribeInstances, wrong key",
	service: "refuses it",
	perform: func(s *side) []error { return inTurn(1, s.impostor.describeInstances) },
	with:    want{1, "AuthFailure.SignatureFailure"},
	without: want{1, "AuthFailure.SignatureFailure"},
	check: func(_ *side, o outcome) error {
		failure, ok := errors.AsType[*tcerr.TencentCloudSDKError](o.lastError())
		if !ok || failure.Message == "" || len(o.calls) == 0 || failure.RequestId != o.calls[0].RequestID {
			return fmt.Errorf("not the SDK's own error with message and RequestId: %w", o.lastError())
		}
		return nil
	},
	moral: "One request each: sending it again could not help. The error is the SDK's own.",
}

// carriedOut is an answer that gets lost when everything is done.
var carriedOut = tctest.Normal().CutAt(tctest.CutBeforeAnswer, 0)

var purchase = act{
	call:    "RunInstances",
	service: "sells an instance, its answer gets lost",
	prepare: func(s *side) { s.cloud.Script("RunInstances", carriedOut) },
	perform: func(s *side) []error { return inTurn(1, func() error { return s.guangzhou.runInstances("") }) },
	with:    want{1, networkError},
	without: want{1, networkError},
	check:   func(s *side, _ outcome) error { return expect(s.cloud.sold(), 1) },
	moral:   "It may have been sold, and nothing tells the service that it is the same order: not sent again.",
}

var purchaseWithToken = act{
	call:    "RunInstances with ClientToken",
	service: "sells an instance, its answer gets lost",
	prepare: func(s *side) { s.cloud.Script("RunInstances", carriedOut) },
	perform: func(s *side) []error {
		return inTurn(1, func() error { return s.guangzhou.runInstances("order-4711") })
	},
	with:    want{2, "ok"},
	without: want{1, networkError},
	check: func(s *side, o outcome) error {
		for _, call := range o.calls {
			if err := expect(call.ClientToken, "order-4711"); err != nil {
				return err
			}
		}
		return expect(s.cloud.sold(), 2) // one here, and one in the act before
	},
	moral: "Sent again with the same token: one instance was sold, and the program knows which.",
}

var lostAnswer = act{
	call:    "DescribeInstances",
	service: "answers, its answer gets lost",
	prepare: func(s *side) { s.cloud.Script("DescribeInstances", carriedOut) },
	perform: func(s *side) []error { return inTurn(1, s.guangzhou.describeInstances) },
	with:    want{2, "ok"},
	without: want{1, networkError},
}

var outage = act{
	call:    "3 DescribeInstances in turn, in Shanghai",
	service: "is down: HTTP 503, after 80 ms",
	prepare: func(s *side) {
		s.cloud.SetThrottledLatency(tctest.Fixed(80 * time.Millisecond))
		s.cloud.AddOutage(tctest.Outage{Region: "ap-shanghai", Unavailable: 1})
	},
	perform: func(s *side) []error { return inTurn(3, s.shanghai.describeInstances) },
	with:    want{10, "3 " + noJSON}, // 4 attempts each, but the tenth opens the breaker
	without: want{3, "3 " + noJSON},
	check:   func(s *side, _ outcome) error { return s.expectBreaker("open") },
}

var openBreaker = act{
	call:    "20 DescribeInstances in turn, in Shanghai",
	service: "is still down",
	perform: func(s *side) []error { return inTurn(20, s.shanghai.describeInstances) },
	with:    want{0, "20 ErrBreakerOpen"},
	without: want{20, "20 " + noJSON},
	check: func(s *side, o outcome) error {
		if s.transport == nil {
			return nil
		}
		for _, err := range o.errs {
			failure, isSDKs := errors.AsType[*tcerr.TencentCloudSDKError](err)
			refusal, isOurs := errors.AsType[*tencenthttp.CallError](err)
			if !isSDKs || failure.Code != networkError || !isOurs || refusal.RetryAfter <= 0 || !errors.Is(err, tencenthttp.ErrBreakerOpen) {
				return fmt.Errorf("not the SDK's error with ours inside: %w", err)
			}
		}
		return nil
	},
	moral: "errors.Is(err, tencenthttp.ErrBreakerOpen) holds on the SDK's error; nothing was sent.",
}

var otherRegion = act{
	call:    "DescribeInstances in Guangzhou",
	service: "answers: only Shanghai is down",
	perform: func(s *side) []error { return inTurn(1, s.guangzhou.describeInstances) },
	with:    want{1, "ok"},
	without: want{1, "ok"},
}

var recovery = act{
	call:    "5 DescribeInstances in turn, in Shanghai",
	service: "is back",
	prepare: func(s *side) {
		s.cloud.SetOutages()
		s.cloud.SetThrottledLatency(nil)
		s.awaitBreaker()
	},
	perform: func(s *side) []error { return inTurn(5, s.shanghai.describeInstances) },
	with:    want{5, "5 ok"},
	without: want{5, "5 ok"},
	check:   func(s *side, _ outcome) error { return s.expectBreaker("closed") },
	moral:   "The first one was the probe that closed the breaker.",
}

func expect[T comparable](got, expected T) error {
	if got != expected {
		return fmt.Errorf("%v, not %v", got, expected)
	}
	return nil
}
