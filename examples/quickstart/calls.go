package main

import (
	"errors"

	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	dcdb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dcdb/v20180411"
)

// The calls are those that any program with the SDK would write. Nothing in them knows of the transport.

func (c *clients) describeZones() error {
	resp, err := c.cvm.DescribeZones(cvm.NewDescribeZonesRequest())
	if err != nil {
		return err
	}
	return expectCount(2, resp.Response.TotalCount)
}

func (c *clients) describeInstances() error {
	resp, err := c.cvm.DescribeInstances(cvm.NewDescribeInstancesRequest())
	if err != nil {
		return err
	}
	return expectCount(3, resp.Response.TotalCount)
}

func (c *clients) describeDatabases() error {
	resp, err := c.dcdb.DescribeDCDBInstances(dcdb.NewDescribeDCDBInstancesRequest())
	if err != nil {
		return err
	}
	return expectCount(1, resp.Response.TotalCount)
}

// runInstances buys an instance. The token, which may be empty, makes it safe to ask twice.
func (c *clients) runInstances(token string) error {
	request := cvm.NewRunInstancesRequest()
	request.ImageId = new("img-487zeit5")
	if token != "" {
		request.ClientToken = &token
	}
	resp, err := c.cvm.RunInstances(request)
	if err != nil {
		return err
	}
	return expectCount(1, new(int64(len(resp.Response.InstanceIdSet))))
}

// expectCount makes sure that the SDK got the whole answer.
func expectCount[T int64 | uint64](expected T, got *T) error {
	if got == nil || *got != expected {
		return errors.New("the answer is not what the service has sent")
	}
	return nil
}
