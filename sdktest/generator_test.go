package sdktest

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
)

// generator makes what a program may put into a request.
type generator struct{ *rand.Rand }

var alphabet = []rune("abcXYZ019 +%&=;/?#~*'()!@:,.-_\"\\<>{}[]|^`\t\n\x00é世界😀\u2028")

// text returns up to so many characters.
func (g generator) text(limit int) string {
	runes := make([]rune, g.IntN(limit+1))
	for i := range runes {
		runes[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(runes)
}

// size is as often below 1 KB as it is above, up to 100 KB.
func (g generator) size() int { return g.IntN([]int{2, 1 << 10, 100 << 10}[g.IntN(3)]) }

func (g generator) bytes() []byte {
	b := make([]byte, g.size())
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) flip() bool { return g.IntN(2) == 0 }

func (g generator) describeInstances() tchttp.Request {
	request := cvm.NewDescribeInstancesRequest()
	for range g.IntN(4) {
		request.InstanceIds = append(request.InstanceIds, new("ins-"+g.text(12)))
	}
	for range g.IntN(3) {
		filter := &cvm.Filter{Name: new(g.text(12))}
		for range g.IntN(3) {
			filter.Values = append(filter.Values, new(g.text(20)))
		}
		request.Filters = append(request.Filters, filter)
	}
	if g.flip() {
		request.Limit, request.Offset = new(g.Int64()), new(g.Int64())
	}
	return request
}

func (g generator) runInstances(userData int) tchttp.Request {
	request := newRunInstances(pick(g, "", "token-1"))
	request.InstanceName, request.DryRun = new(g.text(60)), new(g.flip())
	request.LoginSettings = &cvm.LoginSettings{Password: new(g.text(30)), KeyIds: common.StringPtrs([]string{g.text(5), g.text(5)})}
	request.DataDisks = []*cvm.DataDisk{{DiskSize: new(g.Int64N(1000))}, {DiskType: new(g.text(8)), Encrypt: new(g.flip())}}
	request.TagSpecification = []*cvm.TagSpecification{{Tags: []*cvm.Tag{{Key: new(g.text(9)), Value: new(g.text(9))}}}}
	request.UserData = new(g.text(userData))
	return request
}

func (g generator) commonRequest() *tchttp.CommonRequest {
	service := pick(g, "cvm", "cbs", "tke", "hunyuan", "a-b", "sts")
	return tchttp.NewCommonRequest(service, pick(g, "2017-03-12", "2023-09-01", ""), "Action"+strconv.Itoa(g.IntN(9)))
}

func (g generator) json(t testing.TB) tchttp.Request {
	request := g.commonRequest()
	params := map[string]any{"Text": g.text(g.size() / 2), "Number": g.NormFloat64() * 1e20, "None": nil, "Nested": []any{map[string]any{g.text(5): g.flip()}}}
	require.NoError(t, request.SetActionParameters(params))
	return request
}

// query has its parameters where the SDK puts those of a typed request.
func (g generator) query(testing.TB) tchttp.Request {
	request := g.commonRequest()
	for i := range g.IntN(12) {
		request.GetParams()[g.text(8)] = g.text(200)
		request.GetParams()["Filter."+strconv.Itoa(i)+".Values."+g.text(3)] = g.text(20)
	}
	return request
}

func (g generator) octetStream(testing.TB) tchttp.Request {
	request := g.commonRequest()
	request.SetOctetStreamParameters(map[string]string{"X-" + strings.ToUpper(request.GetService()) + "-Name": strconv.Itoa(g.Int())}, g.bytes())
	return request
}

func (g generator) upload(testing.TB) tchttp.Request {
	return newUploads("UploadPicture", g.bytes())["typed request"]
}

// withContentType gives a request a Content-Type of its own.
func (g generator) withContentType(request tchttp.Request) tchttp.Request {
	request.SetHeader(map[string]string{"Content-Type": pick(g, "application/json; charset=utf-8", "Application/JSON", "multipart/form-data; boundary=Ab-09_Yz")})
	return request
}

func (g generator) credential() common.CredentialIface {
	return common.NewTokenCredential(pick(g, secretID, "AKIDother", "id/with/slashes"), pick(g, secretKey, "other"), pick(g, "", "", "session"))
}

// profile has everything that a signature may depend on.
func (g generator) profile(method string, unsigned bool) *profile.ClientProfile {
	p := newProfile(signed("TC3-HMAC-SHA256", method), reqTimeout(pick(g, 0, 60)))
	p.UnsignedPayload = unsigned
	p.Language = pick(g, "zh-CN", "en-US")
	p.UnsafeRetryOnConnectionFailure = g.flip()
	p.HttpProfile.Scheme = pick(g, "HTTPS", "HTTP")
	p.HttpProfile.RootDomain = pick(g, "", "internal.tencentcloudapi.com")
	p.HttpProfile.Endpoint = pick(g, "", "", "cvm.ap-singapore.tencentcloudapi.com", "LocalHost:8080", "gateway.example.com/some/path")
	return p
}
