package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// load is calls of one action, again and again.
type load struct {
	service, action string
	perSecond       int
	deadline        time.Duration
}

// body is what every call says, and nobody else must.
const body = `{"Password":"known to nobody"}`

var loads = []load{
	{"cvm", "DescribeInstances", 35, 5 * time.Second}, // the quota is 20
	{"cvm", "DescribeZones", 14, 5 * time.Second},     // our own limit is 10
	{"cvm", "DescribeImages", 5, 5 * time.Second},     // others use the quota up
	{"cvm", "RunInstances", 2, 5 * time.Second},
	{"vpc", "DescribeVpcs", 25, 5 * time.Second},
	{"cdb", "DescribeDBInstances", 20, 5 * time.Second},
	{"cdb", "CreateDBInstance", 3, 5 * time.Second},
}

// storm makes all calls until the context ends.
func (d *dashboard) storm(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { every(ctx, d.cloud.cycle, d.cloud.next) })
	for _, l := range loads {
		wg.Go(func() {
			every(ctx, time.Second/time.Duration(l.perSecond), func() {
				wg.Go(func() { d.call(ctx, l) })
			})
		})
	}
}

// every calls f at that interval until the context ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f()
		}
	}
}

// call makes one call. The transport signs it; what becomes of it is for the page and the metrics to tell.
func (d *dashboard) call(ctx context.Context, l load) {
	ctx, stop := context.WithTimeout(ctx, l.deadline)
	defer stop()
	url := "https://" + l.service + ".tencentcloudapi.com/"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"},
		"X-Tc-Action":  {l.action}, "X-Tc-Version": {"2017-03-12"}, "X-Tc-Region": {"ap-guangzhou"},
	}
	resp, err := d.rt.RoundTrip(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
}
