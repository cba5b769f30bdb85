package main

import (
	"fmt"
	"sync"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	dcdb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dcdb/v20180411"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// The only key that the fake knows, and the one that comes in its place. It checks signatures as the real service does.
const (
	secretID     = "AKIDquickstart"
	secretKey    = "not a secret, but the fake's key"
	newSecretID  = "AKIDrotated"
	newSecretKey = "not a secret either"
)

// cloud is a fake Tencent Cloud that sells instances.
type cloud struct {
	*tctest.Server

	mu     sync.Mutex
	bought []string          // the instances
	orders map[string]string // which of them was bought with a ClientToken
}

func newCloud() *cloud {
	c := &cloud{orders: make(map[string]string)}
	c.Server = tctest.NewServer(
		tctest.WithStrict(),
		tctest.WithCredential(secretID, secretKey, ""),
		tctest.WithQuota("dcdb:DescribeDCDBInstances", tctest.TokenBucket(20, 20)),
		tctest.WithHandler("cvm:DescribeZones", func(*tctest.Request) (any, error) {
			return cvm.DescribeZonesResponseParams{TotalCount: common.Uint64Ptr(2)}, nil
		}),
		tctest.WithHandler("cvm:DescribeInstances", func(*tctest.Request) (any, error) {
			return cvm.DescribeInstancesResponseParams{TotalCount: common.Int64Ptr(3)}, nil
		}),
		tctest.WithHandler("dcdb:DescribeDCDBInstances", func(*tctest.Request) (any, error) {
			return dcdb.DescribeDCDBInstancesResponseParams{TotalCount: common.Int64Ptr(1)}, nil
		}),
		tctest.WithHandler("cvm:RunInstances", c.sell),
	)
	return c
}

// sell sells an instance, but only one for each ClientToken: that is what the token is for.
func (c *cloud) sell(r *tctest.Request) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := r.ClientToken()
	id, sold := c.orders[token]
	if token == "" || !sold {
		id = fmt.Sprintf("ins-%08d", len(c.bought)+1)
		c.bought = append(c.bought, id)
		c.orders[token] = id
	}
	return cvm.RunInstancesResponseParams{InstanceIdSet: []*string{&id}}, nil
}

// sold returns how many instances were sold.
func (c *cloud) sold() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.bought)
}
