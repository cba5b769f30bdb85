package sdktest

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func signed(signMethod, reqMethod string) profileEdit {
	return func(p *profile.ClientProfile) { p.SignMethod, p.HttpProfile.ReqMethod = signMethod, reqMethod }
}

// signatures are all forms in which the SDK sends and signs a call.
var signatures = []struct {
	name string
	edit profileEdit
}{
	{"TC3 POST", signed("TC3-HMAC-SHA256", http.MethodPost)},
	{"TC3 POST, unsigned payload", func(p *profile.ClientProfile) { p.UnsignedPayload = true }},
	{"TC3 GET", signed("TC3-HMAC-SHA256", http.MethodGet)},
	{"v1 HmacSHA1 GET", signed("HmacSHA1", http.MethodGet)},
	{"v1 HmacSHA256 GET", signed("HmacSHA256", http.MethodGet)},
	{"v1 HmacSHA1 POST form", signed("HmacSHA1", http.MethodPost)},
	{"v1 HmacSHA256 POST form", signed("HmacSHA256", http.MethodPost)},
}

// urlRecorder notes the URLs that go over the wire, which the fake API's record does not have.
type urlRecorder struct {
	base http.RoundTripper
	mu   sync.Mutex
	urls []string
}

func (u *urlRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.urls = append(u.urls, r.Method+" "+r.URL.String())
	u.mu.Unlock()
	return u.base.RoundTrip(r)
}

// requireRepeats checks that the fake API saw that many requests, all the same, and returns them.
func requireRepeats(t *testing.T, api *tctest.API, urls *urlRecorder, want int) []tctest.Call {
	t.Helper()
	calls := api.Calls()
	require.Len(t, calls, want)
	requireSameBytes(t, calls)
	require.Len(t, urls.urls, want)
	for _, url := range urls.urls {
		require.Equal(t, urls.urls[0], url)
	}
	return calls
}

func TestSDK_SignaturesFindTheirTarget(t *testing.T) {
	sum := sha256.Sum256([]byte(secretID))
	for _, signature := range signatures {
		t.Run(signature.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2)))
				urls := &urlRecorder{base: api.RoundTripper()}
				rt := newTransport(t, urls)

				require.NoError(t, runInstances(newCVM(t, rt, signature.edit), ""), "throttled: even a write is retried")

				requireRepeats(t, api, urls, 3)
				stats := rt.Stats()
				require.Len(t, stats, 1)
				assert.Equal(t, tencenthttp.Target{
					Service: "cvm", Host: cvmHost, Region: region, Action: "RunInstances", Account: hex.EncodeToString(sum[:8]),
				}, stats[0].Target)
				assert.EqualValues(t, 1, stats[0].Calls)
				assert.EqualValues(t, 3, stats[0].Attempts)
				assert.EqualValues(t, 2, stats[0].Throttled)
			})
		})
	}
}

func TestSDK_SignaturesAndLostConnections(t *testing.T) {
	for _, row := range []struct {
		name      string
		call      func(*cvm.Client) error
		wantCalls int
	}{
		{"read", describeInstances, 2},
		{"write", func(client *cvm.Client) error { return runInstances(client, "") }, 1},
		{"write with ClientToken", func(client *cvm.Client) error { return runInstances(client, "token-1") }, 2},
	} {
		for _, signature := range signatures {
			for _, base := range bases {
				t.Run(row.name+"/"+signature.name+"/"+base.name, func(t *testing.T) {
					api, wire := base.dial(t, tctest.WithScript("*", tctest.Broken(tctest.CutBeforeAnswer)))
					urls := &urlRecorder{base: wire}

					err := row.call(newCVM(t, newTransport(t, urls), signature.edit))

					calls := requireRepeats(t, api, urls, row.wantCalls)
					assert.Equal(t, row.wantCalls > 1, err == nil, "%v", err)
					assert.Equal(t, calls[0].ClientToken, calls[len(calls)-1].ClientToken)
				})
			}
		}
	}
}

func TestSDK_TemporaryKeys(t *testing.T) {
	for _, signature := range signatures {
		t.Run(signature.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithCredential("AKIDtemporary", "key", "session"),
					tctest.WithScript("*", tctest.Fail("InternalError").Times(2)))
				urls := &urlRecorder{base: api.RoundTripper()}
				client := newCVM(t, newTransport(t, urls), signature.edit)
				client.WithCredential(common.NewTokenCredential("AKIDtemporary", "key", "session"))

				require.NoError(t, describeInstances(client))

				requireRepeats(t, api, urls, 3)
			})
		})
	}
}

func TestSDK_NoSecretInOurErrorsAndLog(t *testing.T) {
	for _, signature := range signatures {
		t.Run(signature.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Broken(tctest.CutBeforeAnswer).Forever()))
				var log strings.Builder
				client := newCVM(t, newTransport(t, api.RoundTripper(),
					tencenthttp.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), tencenthttp.WithBreaker(hasty)), signature.edit)

				for _, text := range []string{
					requireCallError(t, describeInstances(client)).Error(), // attempts used up
					requireCallError(t, describeInstances(client)).Error(), // breaker open
					log.String(),
				} {
					assert.Contains(t, text, "DescribeInstances")
					assert.NotContains(t, text, secretID)
					assert.NotContains(t, text, secretKey)
					assert.NotContains(t, text, "Signature")
					assert.NotContains(t, text, "://")
				}
			})
		})
	}
}

// http.Client puts the URL into its errors, and with signature v1 over GET that has the SecretId and the signature in it. This is
// outside of any transport's reach.
func TestSDK_HTTPClientShowsTheQueryOfASignatureV1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Broken(tctest.CutDial).Forever()))
		client := newCVM(t, newTransport(t, api.RoundTripper()), signed("HmacSHA256", http.MethodGet))

		assert.Contains(t, describeInstances(client).Error(), "SecretId="+secretID)
	})
}
