package tencenthttp_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

const host, otherHost = "cvm.tencentcloudapi.com", "cvm.ap-guangzhou.tencentcloudapi.com"

// The service's clock is ten minutes ahead of ours: the first call finds out, and later ones are right at once.
func ExampleWithSigner() {
	api := tctest.New(tctest.WithCredential("id", "key", ""), tctest.WithClockOffset(10*time.Minute))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(),
		tencenthttp.WithSigner(tencenthttp.TC3Signer(tencenthttp.StaticCredentials("id", "key", ""))),
		tencenthttp.WithHooks(tencenthttp.Hooks{
			ClockSkew: func(_ context.Context, s tencenthttp.ClockSkewInfo) {
				fmt.Println("our clock is off by", s.Offset.Round(time.Minute))
			},
		}))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		fmt.Println(call(context.Background(), rt, "DescribeInstances"), api.Count())
	}
	// Output:
	// our clock is off by 10m0s
	// <nil> 2
	// <nil> 3
}

func ExampleWithClientTokens() {
	api := tctest.New(tctest.WithCredential("id", "key", ""))
	api.Script("RunInstances", tctest.Broken(tctest.CutBeforeAnswer))
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick),
		tencenthttp.WithSigner(tencenthttp.TC3Signer(tencenthttp.StaticCredentials("id", "key", ""))),
		tencenthttp.WithClientTokens())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "RunInstances"))
	calls := api.Calls()
	fmt.Println(len(calls), "attempts, the same token:", calls[0].ClientToken != "" && calls[0].ClientToken == calls[1].ClientToken)
	// Output:
	// <nil>
	// 2 attempts, the same token: true
}

func ExampleWithFailover() {
	api := tctest.New(tctest.WithCredential("id", "key", ""))
	api.SetOutages(tctest.Outage{Host: host, Refuse: 1})
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithBackOff(quick), tencenthttp.WithMaxAttempts(10),
		tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 3}),
		tencenthttp.WithSigner(tencenthttp.TC3Signer(tencenthttp.StaticCredentials("id", "key", ""))),
		tencenthttp.WithFailover(func(string) []string { return []string{otherHost} }))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call(context.Background(), rt, "DescribeInstances"))
	for _, c := range api.Calls() {
		fmt.Println(c.Host, c.Outcome)
	}
	// Output:
	// <nil>
	// cvm.tencentcloudapi.com refused
	// cvm.tencentcloudapi.com refused
	// cvm.tencentcloudapi.com refused
	// cvm.ap-guangzhou.tencentcloudapi.com answered
}

// A signer may also be used on its own.
func ExampleTC3Signer() {
	req, err := http.NewRequest(http.MethodPost, "https://"+host+"/", strings.NewReader(`{"Limit":1}`))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", "DescribeInstances")
	signer := tencenthttp.TC3Signer(tencenthttp.StaticCredentials("AKIDEXAMPLE", "secret", ""))
	if err := signer.Sign(req, time.Unix(1551113065, 0)); err != nil {
		log.Fatal(err)
	}
	authorization, _, _ := strings.Cut(req.Header.Get("Authorization"), ", Signature=")
	fmt.Println(authorization)
	fmt.Println(req.Header.Get("X-TC-Timestamp"))
	// Output:
	// TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host
	// 1551113065
}
