// Package bench measures what it costs to make calls through tencenthttp, beside a bare transport, a floor and the peers.
package bench

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkOverhead measures one successful call, body read to its end, through each contender. Over the stub what a
// contender adds stands out; over loopback one sees how little of a real call that is.
func BenchmarkOverhead(b *testing.B) {
	for _, size := range sizes {
		data := success(size.bytes)
		for _, c := range contenders {
			b.Run("base=stub/size="+size.name+"/via="+c.name, func(b *testing.B) {
				measure(b, c.over(b, &stub{script: [][]byte{data}}), "http://cvm.tencentcloudapi.com/")
			})
		}
	}
	for _, size := range sizes {
		data := success(size.bytes)
		for _, c := range contenders {
			b.Run("base=loopback/size="+size.name+"/via="+c.name, func(b *testing.B) {
				server := serve(b, data)
				measure(b, c.over(b, server.Client().Transport), server.URL)
			})
		}
	}
}

// measure sends one request again and again. Giving it its body anew is part of what is measured, for all contenders alike.
func measure(b *testing.B, rt http.RoundTripper, url string) {
	b.Helper()
	req := describeInstances(b, url)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if req.Body, err = req.GetBody(); err != nil {
			b.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
