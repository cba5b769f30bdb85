package main

import (
	"time"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// The only key that the fake knows.
const (
	secretID  = "AKIDdashboard"
	secretKey = "not a secret, but the fake's key"
)

// cloud is a fake Tencent Cloud with all kinds of trouble, again in every cycle: cvm has a short quota all the time, and one that
// others use up, whatever we do; vpc fails for every third call in the first half; and cdb is down for a quarter of the time.
type cloud struct {
	*tctest.Server
	cycle time.Duration
}

func newCloud(cycle time.Duration) *cloud {
	c := &cloud{cycle: cycle, Server: tctest.NewServer(
		tctest.WithRecord(0, 0),
		tctest.WithCredential(secretID, secretKey, ""),
		tctest.WithQuota("cvm:DescribeInstances", tctest.TokenBucket(20, 20)),
		tctest.WithNetworkDelay(tctest.Between(2*time.Millisecond, 6*time.Millisecond)),
		tctest.WithLatency(tctest.Between(10*time.Millisecond, 60*time.Millisecond)),
	)}
	c.next()
	return c
}

// next announces the troubles of the coming cycle.
func (c *cloud) next() {
	now := c.Elapsed()
	c.SetOutages(
		tctest.Outage{From: now, Action: "cvm:DescribeImages", InternalError: .5, Code: "RequestLimitExceeded"},
		tctest.Outage{From: now, Until: now + c.cycle/2, Action: "vpc:*", InternalError: .35},
		tctest.Outage{From: now + c.cycle/2, Until: now + 3*c.cycle/4, Action: "cdb:*", Unavailable: .7, Refuse: .3},
	)
}
