package tencenthttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// call sends a call of the CVM API through rt, as any client would, and prints the error code of the answer.
func call(ctx context.Context, rt http.RoundTripper, action string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(`{}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	envelope, err := tencenthttp.ReadEnvelope(resp)
	if err != nil {
		return err
	}
	if envelope.Error != nil {
		return envelope.Error
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// quick is a BackOff for examples that should not keep a reader waiting.
func quick() backoff.BackOff { return backoff.NewConstantBackOff(time.Millisecond) }

func ExampleNewTransport() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Fail("RequestLimitExceeded").Times(2))

	// nil instead of the fake API stands for http.DefaultTransport.
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "DescribeInstances"), "after", api.Count(), "attempts")
	// Output: <nil> after 3 attempts
}

func ExampleNewTransport_badOptions() {
	_, err := tencenthttp.NewTransport(nil, tencenthttp.WithMaxAttempts(0), tencenthttp.WithRateLimit(20, 0))
	fmt.Println(err)
	// Output:
	// tencenthttp: WithMaxAttempts(0): must be at least 1
	// tencenthttp: WithRateLimit: burst 0: must be at least 1
}

func ExampleTransport_Stats() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Fail("InternalError"))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick))
	if err != nil {
		log.Fatal(err)
	}
	if err := call(context.Background(), rt, "DescribeInstances"); err != nil {
		log.Fatal(err)
	}
	for _, s := range rt.Stats() {
		fmt.Printf("%v: %d call, %d attempts, %d fault, breaker %v\n", s.Target, s.Calls, s.Attempts, s.Faults, s.Breaker)
	}
	// Output: cvm DescribeInstances in ap-guangzhou: 1 call, 2 attempts, 1 fault, breaker closed
}

func ExampleReadEnvelope() {
	api := tctest.New()
	api.Script("StartInstances", tctest.FailWith("InvalidParameterValue", "no such instance"))
	resp, err := (&http.Client{Transport: api.RoundTripper()}).Post("https://cvm.tencentcloudapi.com/?Action=StartInstances",
		"application/json", strings.NewReader(`{}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()

	envelope, err := tencenthttp.ReadEnvelope(resp)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, envelope.Error.Code, "-", envelope.Error.Message)
	body, _ := io.ReadAll(resp.Body) // as it was
	fmt.Println(strings.HasPrefix(string(body), `{"Response":{"Error":`))
	// Output:
	// 200 InvalidParameterValue - no such instance
	// true
}

func ExampleClassifyCode() {
	for _, code := range []string{"RequestLimitExceeded.UinLimitExceeded", "InternalError", "FailedOperation", "AuthFailure.SignatureFailure"} {
		fmt.Printf("%-38s%v\n", code, tencenthttp.ClassifyCode(code).Class)
	}
	// Output:
	// RequestLimitExceeded.UinLimitExceeded retryable
	// InternalError                         retryable
	// FailedOperation                       idempotent
	// AuthFailure.SignatureFailure          fatal
}

// InternalError is retried for any action. The cautious let it be retried only where running twice is harmless.
func ExampleWithCode() {
	api := tctest.New()
	api.Script("*", tctest.Fail("InternalError").Forever())
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick),
		tencenthttp.WithCode("InternalError", tencenthttp.Verdict{Class: tencenthttp.ClassIdempotent, Fault: true}))
	if err != nil {
		log.Fatal(err)
	}
	for _, action := range []string{"RunInstances", "DescribeInstances"} {
		_ = call(context.Background(), rt, action)
		fmt.Println(action, api.Count(action))
	}
	// Output:
	// RunInstances 1
	// DescribeInstances 4
}

// A classifier of one's own usually adds a rule to the default one.
func ExampleWithClassifier() {
	api := tctest.New()
	api.Script("DescribeTasks", tctest.Fail("FailedOperation.TaskPending").Times(2))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick),
		tencenthttp.WithClassifier(func(o tencenthttp.Outcome) tencenthttp.Verdict {
			if o.Envelope != nil && o.Envelope.Error != nil && o.Envelope.Error.Code == "FailedOperation.TaskPending" {
				return tencenthttp.Verdict{Class: tencenthttp.ClassRetryable}
			}
			return tencenthttp.Classify(o)
		}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "DescribeTasks"), api.Count())
	// Output: <nil> 3
}

func ExampleClassify() {
	verdict := tencenthttp.Classify(tencenthttp.Outcome{
		Response: &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"3"}}},
	})
	fmt.Println(verdict.Class, verdict.Fault, verdict.RetryAfter)
	// Output: retryable true 3s
}

// Patterns are those of path.Match, on the action or on service:action. WithNonIdempotentActions wins.
func ExampleWithIdempotentActions() {
	api := tctest.New()
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick),
		tencenthttp.WithIdempotentActions("Modify*", "cvm:Stop*"),
		tencenthttp.WithNonIdempotentActions("ModifyInstancesChargeType"))
	if err != nil {
		log.Fatal(err)
	}
	for _, action := range []string{"ModifyInstancesAttribute", "ModifyInstancesChargeType", "StopInstances", "RebootInstances"} {
		api.Script(action, tctest.Broken(tctest.CutBeforeAnswer))
		_ = call(context.Background(), rt, action)
		fmt.Println(action, api.Count(action))
	}
	// Output:
	// ModifyInstancesAttribute 2
	// ModifyInstancesChargeType 1
	// StopInstances 2
	// RebootInstances 1
}

// The options about time and number, with their defaults, but for the attempt timeout, which is none.
func ExampleWithAttemptTimeout() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Hang())
	rt, err := tencenthttp.NewTransport(api.RoundTripper(),
		tencenthttp.WithAttemptTimeout(20*time.Millisecond),
		tencenthttp.WithMaxAttempts(4),
		tencenthttp.WithMaxElapsedTime(60*time.Second),
		tencenthttp.WithRetryBudget(0.2, 10))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "DescribeInstances"), api.Count())
	// Output: <nil> 2
}

func ExampleContextWithIdempotent() {
	api := tctest.New()
	api.Script("StopInstances", tctest.Broken(tctest.CutBeforeAnswer))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick))
	if err != nil {
		log.Fatal(err)
	}
	ctx := tencenthttp.ContextWithIdempotent(context.Background(), true) // stopping twice is stopping
	fmt.Println(call(ctx, rt, "StopInstances"), api.Count())
	// Output: <nil> 2
}

func ExampleIdempotent() {
	for _, body := range []string{`{}`, `{"ClientToken":"6c0d0d3a"}`} {
		req, _ := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-TC-Action", "RunInstances")
		fmt.Println(tencenthttp.Idempotent(req))
	}
	// Output:
	// false
	// true
}

func ExampleWithRateLimit() {
	rt, err := tencenthttp.NewTransport(tctest.New().RoundTripper(),
		tencenthttp.WithRateLimit(20, 20),                             // every action: 20 a second
		tencenthttp.WithActionRateLimit("cvm:RunInstances", 10, 1),    // but this one
		tencenthttp.WithActionRateLimit("DescribeZones", rate.Inf, 1), // and this one has no limit
		tencenthttp.WithMaxWait(5*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	for _, action := range []string{"DescribeInstances", "DescribeZones", "RunInstances"} {
		if err := call(context.Background(), rt, action); err != nil {
			log.Fatal(err)
		}
	}
	for _, s := range rt.Stats() {
		fmt.Println(s.Target.Action, s.Limit)
	}
	// Output:
	// DescribeInstances 20
	// DescribeZones 1.7976931348623157e+308
	// RunInstances 10
}

// One limiter for all calls of an account, whatever the action.
func ExampleWithLimiter() {
	shared := rate.NewLimiter(100, 10)
	rt, err := tencenthttp.NewTransport(tctest.New().RoundTripper(),
		tencenthttp.WithLimiter(func(tencenthttp.Target) tencenthttp.Limiter { return shared }))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "DescribeInstances"))
	// Output: <nil>
}

func ExampleWithBreaker() {
	api := tctest.New()
	api.Script("*", tctest.Fail("InternalError").Forever())
	rt, err := tencenthttp.NewTransport(api.RoundTripper(),
		tencenthttp.WithMaxAttempts(1),
		tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 5, OpenFor: time.Minute}))
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		_ = call(context.Background(), rt, "DescribeInstances")
	}
	err = call(context.Background(), rt, "DescribeInstances")
	var failed *tencenthttp.CallError
	if errors.Is(err, tencenthttp.ErrBreakerOpen) && errors.As(err, &failed) {
		fmt.Println(failed.Reason, "for about", failed.RetryAfter.Round(time.Minute), "- attempts:", failed.Attempts)
	}
	fmt.Println("wire calls:", api.Count())
	// Output:
	// breaker open for about 1m0s - attempts: 0
	// wire calls: 5
}

func ExampleWithBackOff() {
	rt, err := tencenthttp.NewTransport(nil, tencenthttp.WithBackOff(func() backoff.BackOff {
		return backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(250*time.Millisecond),
			backoff.WithMaxInterval(8*time.Second),
			backoff.WithMaxElapsedTime(0)) // WithMaxElapsedTime of this package is the bound
	}))
	fmt.Println(rt != nil, err)
	// Output: true <nil>
}

func ExampleWithHooks() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Fail("InternalError"))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick),
		tencenthttp.WithHooks(tencenthttp.Hooks{
			Retry: func(_ context.Context, r tencenthttp.RetryInfo) {
				fmt.Println("retry of", r.Target.Action, "after", r.Code)
			},
			Done: func(_ context.Context, d tencenthttp.DoneInfo) {
				fmt.Println(d.Reason, "after", d.Attempts, "attempts")
			},
		}))
	if err != nil {
		log.Fatal(err)
	}
	if err := call(context.Background(), rt, "DescribeInstances"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// retry of DescribeInstances after InternalError
	// success after 2 attempts
}

func ExampleWithLogger() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Answer{Code: "InternalError", Header: http.Header{}})
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "request_id" || a.Key == "host" {
				return slog.Attr{}
			}
			return a
		},
	}))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick), tencenthttp.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	if err := call(context.Background(), rt, "DescribeInstances"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// level=INFO msg="tencenthttp: retry" service=cvm action=DescribeInstances region=ap-guangzhou code=InternalError status=200 attempt=1 delay=1ms reason=fault
}

func ExampleContextWithReport() {
	api := tctest.New()
	api.Script("DescribeInstances", tctest.Fail("InternalError"))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick), tencenthttp.WithMaxAttempts(2))
	if err != nil {
		log.Fatal(err)
	}
	ctx, report := tencenthttp.ContextWithReport(context.Background())
	if err := call(ctx, rt, "DescribeInstances"); err != nil {
		log.Fatal(err)
	}
	for _, attempt := range report.Snapshot().Attempts { // fmt.Println(report) prints all of it, times included
		fmt.Println(attempt.Attempt, attempt.StatusCode, attempt.Failure(), attempt.RequestID, attempt.Waits.Backoff > 0)
	}
	fmt.Println(report.Snapshot().Reason)
	// Output:
	// 1 200 InternalError 00000001-0000-4000-8000-000000000001 false
	// 2 200  00000001-0000-4000-8000-000000000002 true
	// success
}

func ExampleCallError() {
	api := tctest.New()
	api.Script("RunInstances", tctest.Broken(tctest.CutBeforeAnswer))
	rt, err := tencenthttp.NewTransport(api.RoundTripper())
	if err != nil {
		log.Fatal(err)
	}
	err = call(context.Background(), rt, "RunInstances")
	var failed *tencenthttp.CallError
	if errors.As(err, &failed) {
		fmt.Println(failed)
		fmt.Println(errors.Is(err, io.EOF))
	}
	// Output:
	// tencenthttp: cvm RunInstances in ap-guangzhou: not sent again after 1 attempt (not idempotent): EOF
	// true
}
