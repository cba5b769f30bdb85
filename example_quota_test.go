package tencenthttp_test

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// Nobody tells the quota of an action. The Transport learns it from the calls that are throttled, and none fails for it.
func Example_unknownQuota() {
	api := tctest.New(tctest.WithQuota("DescribeInstances", tctest.TokenBucket(50, 20)))
	var mu sync.Mutex
	var first *tencenthttp.RateChangeInfo
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithHooks(tencenthttp.Hooks{
		RateChange: func(_ context.Context, info tencenthttp.RateChangeInfo) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = &info
			}
		},
	}))
	if err != nil {
		log.Fatal(err)
	}
	var wg sync.WaitGroup
	failed := make(chan error, 60)
	for range 60 { // all at once
		wg.Go(func() {
			if err := call(context.Background(), rt, "DescribeInstances"); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	fmt.Println(len(failed), "of 60 failed")
	fmt.Println(first.Target.Action, "is", first.Cause, "and had no limit:", first.From == rate.Inf)
	fmt.Println("learned:", rt.Stats()[0].Limit < rate.Inf)
	// Output:
	// 0 of 60 failed
	// DescribeInstances is throttled and had no limit: true
	// learned: true
}

// Where more is called for long than a quota allows, a short line serves as many calls, and refuses the others at once.
func ExampleWithMaxWait() {
	api := tctest.New()
	rt, err := tencenthttp.NewTransport(api.RoundTripper(),
		tencenthttp.WithRateLimit(2, 1), tencenthttp.WithMaxWait(1200*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	results := make(chan error, 10)
	for range 10 {
		go func() { results <- call(context.Background(), rt, "DescribeInstances") }()
	}
	answered, refused := 0, 0
	for range 10 {
		if err := <-results; err == nil {
			answered++
		} else {
			refused++
		}
	}
	fmt.Println(answered, "answered, the last after a second;", refused, "refused at once")
	// Output: 3 answered, the last after a second; 7 refused at once
}
