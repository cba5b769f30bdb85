package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	throttled = `{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"Your current request times equals to 21 in a second, which exceeds ` +
		`the frequency limit 20 for a second. Please reduce the frequency of calls."},"RequestId":"6f1a1ce5-4ad0-4d0b-8f2b-fb9d1e4d5d86"}}`

	head = `{"Response":{"TotalCount":%6d,"InstanceSet":[`
	tail = `],"RequestId":"2f0d6a1c-5d0e-4f0f-9a57-3b8a3c3c7b52"}}`

	// An instance as CVM describes it; its "LatestOperationErrorMsg" is the nearest that most answers come to "Error".
	instance = `{"InstanceId":"ins-%08x","InstanceState":"RUNNING","LatestOperationErrorMsg":null,"Placement":{"ProjectId":0,"Zone":"ap-guangzhou-3"},` +
		`"InstanceType":"S5.MEDIUM4","CPU":2,"Memory":4,"InstanceName":"生产环境-web-%08x","InstanceChargeType":"POSTPAID_BY_HOUR",` +
		`"SystemDisk":{"DiskType":"CLOUD_PREMIUM","DiskId":"disk-%08x","DiskSize":50},"PrivateIpAddresses":["10.0.0.12"],"PublicIpAddresses":["203.0.113.7"],` +
		`"VirtualPrivateCloud":{"VpcId":"vpc-8f2c1d7e","SubnetId":"subnet-3a9b0c4d","AsVpcGateway":false},"SecurityGroupIds":["sg-5b1e7f20"],` +
		`"CreatedTime":"2026-09-29T04:35:28Z","Tags":[{"Key":"env","Value":"prod"},{"Key":"team","Value":"checkout"}]}`
)

var sizes = []struct {
	name  string
	bytes int
}{
	{"300B", 300},
	{"16KiB", 16 << 10},
	{"1MiB", 1 << 20},
}

// success is the answer of a successful DescribeInstances with exactly size bytes. What whole instances leave over is the
// name of a last, short one.
func success(size int) []byte {
	const short = `{"InstanceId":"ins-1","InstanceName":"%s"}`
	var list strings.Builder
	count := 1
	spare := size - len(fmt.Sprintf(head, 0)) - len(tail) - len(fmt.Sprintf(short, ""))
	for {
		one := fmt.Sprintf(instance, count, count, count) + ","
		if list.Len()+len(one) > spare {
			break
		}
		list.WriteString(one)
		count++
	}
	name := strings.Repeat("w", spare-list.Len())
	return []byte(fmt.Sprintf(head, count) + list.String() + fmt.Sprintf(short, name) + tail)
}

// describeInstances is a call as the SDK signs it, but for the signature itself.
func describeInstances(tb testing.TB, url string) *http.Request {
	tb.Helper()
	now := time.Now()
	body := `{"Filters":[{"Name":"zone","Values":["ap-guangzhou-3","ap-guangzhou-4"]},{"Name":"instance-state","Values":["RUNNING"]}],"Limit":100,"Offset":0}`
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	require.NoError(tb, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAM/"+now.UTC().Format(time.DateOnly)+
		"/cvm/tc3_request, SignedHeaders=content-type;host, Signature="+strings.Repeat("0123456789abcdef", 4))
	req.Header.Set("X-TC-Action", "DescribeInstances")
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	req.Header.Set("X-TC-Timestamp", fmt.Sprint(now.Unix()))
	req.Header.Set("X-TC-RequestClient", "SDK_GO_1.3.210")
	req.Header.Set("X-TC-Language", "zh-CN")
	return req
}
