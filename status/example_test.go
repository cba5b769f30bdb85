package status_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/status"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func ExamplePage() {
	page := status.New(status.WithTitle("orders"))
	rt, err := tencenthttp.NewTransport(tctest.New().RoundTripper(), page.Option())
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /debug/tencenthttp", page)

	client := &http.Client{Transport: rt}
	resp, err := client.Get("https://cvm.tencentcloudapi.com/?Action=DescribeInstances&Region=ap-guangzhou")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/tencenthttp", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	target := page.Snapshot().Targets[0]
	fmt.Println(target.Service, target.Action, target.Calls, target.Breaker)
	// Output:
	// 200 text/html; charset=utf-8
	// cvm DescribeInstances 1 closed
}
