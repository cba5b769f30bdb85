package redisquota_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/redisquota"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// nobody is where no Redis is: calls go on without it, and that is enough for an example.
const nobody = "127.0.0.1:1"

func ExampleNew() {
	api := tctest.New() // a real program gives nil for the base

	client := redis.NewClient(&redis.Options{Addr: nobody, ContextTimeoutEnabled: true})
	defer client.Close()
	quota, err := redisquota.New(client,
		redisquota.WithLimit(18, 5), // of 20 a second, shared by the whole fleet
		redisquota.WithActionLimit("cvm:RunInstances", 9, 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithLimiter(quota.Limiter))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := rt.RoundTrip(describeInstances())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// A service that people wait for gets three times as much as each batch job, as long as it wants it.
func ExampleWithWeight() {
	client := redis.NewClient(&redis.Options{Addr: nobody})
	defer client.Close()
	_, err := redisquota.New(client, redisquota.WithLimit(18, 5), redisquota.WithWeight(3))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleWithHook() {
	client := redis.NewClient(&redis.Options{Addr: nobody})
	defer client.Close()
	lost := make(chan redisquota.ChangeInfo, 1)
	quota, err := redisquota.New(client, redisquota.WithHook(func(info redisquota.ChangeInfo) { lost <- info }))
	if err != nil {
		fmt.Println(err)
		return
	}
	rt, err := tencenthttp.NewTransport(tctest.New().RoundTripper(), tencenthttp.WithLimiter(quota.Limiter))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := rt.RoundTrip(describeInstances())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println("Redis is there:", (<-lost).Up, "- the call:", resp.Status)
	// Output: Redis is there: false - the call: 200 OK
}

func ExampleNew_badOptions() {
	client := redis.NewClient(&redis.Options{Addr: nobody})
	defer client.Close()
	_, err := redisquota.New(client, redisquota.WithLimit(20, 0), redisquota.WithTimeout(-time.Second))
	fmt.Println(err)
	// Output:
	// redisquota: WithLimit: burst 0: must be at least 1
	// redisquota: WithTimeout(-1s): must be above 0
}

// describeInstances makes an unsigned request: the fake does not mind.
func describeInstances() *http.Request {
	req, err := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(`{}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", "DescribeInstances")
	return req
}
