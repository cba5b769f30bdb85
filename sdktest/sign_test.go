package sdktest

import (
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/tencenthttp/tencenthttp"
)

// fromSDK is a credential of the SDK as a provider of ours.
func fromSDK(credential common.CredentialIface) tencenthttp.CredentialProvider {
	return tencenthttp.CredentialFunc(func(context.Context) (c tencenthttp.Credentials, err error) {
		c.SecretID, c.SecretKey, c.Token = credential.GetCredential()
		return c, nil
	})
}

// recorder keeps the last request, as the SDK signed it, and answers each with success. The body has been read then.
type recorder struct{ last *http.Request }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.last = req.Clone(context.Background())
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(`{"Response":{"RequestId":"recorded"}}`)),
	}, nil
}

// requireSameSignature checks that the signer makes of the request, spoiled, what the SDK made of it.
func requireSameSignature(t testing.TB, signer tencenthttp.Signer, recorded *http.Request) {
	t.Helper()
	seconds, err := strconv.ParseInt(recorded.Header.Get("X-TC-Timestamp"), 10, 64)
	require.NoError(t, err)
	want := recorded.Header
	original, _, found := strings.Cut(want.Get("Authorization"), "Signature=")
	require.True(t, found)

	spoiled := map[string]func(http.Header){
		"a retry": func(h http.Header) { h.Set("Authorization", original+"Signature="+strings.Repeat("0", 64)) },
	}
	if service, _, _ := strings.Cut(recorded.Host, "."); strings.Contains(original, "/"+service+"/tc3_request") {
		spoiled["unsigned"] = func(h http.Header) { h.Del("Authorization") } // the host names the service
	}
	for name, spoil := range spoiled {
		req := recorded.Clone(context.Background())
		req.Header.Set("X-TC-Timestamp", "1")
		req.Header.Set("X-TC-Token", "stale")
		spoil(req.Header)

		require.NoError(t, signer.Sign(req, time.Unix(seconds, 0)))

		require.Equal(t, want.Get("Authorization"), req.Header.Get("Authorization"), "%s of %s %s", name, recorded.Method, recorded.URL)
		require.Equal(t, want, req.Header, name)
		require.Equal(t, recorded.URL.String(), req.URL.String(), name)
		require.Equal(t, recorded.Host, req.Host, name)
		require.Equal(t, recorded.ContentLength, req.ContentLength, name)
	}
}

// TestSigner_SameAsTheSDK signs with one signer for all keys, days and services, so that nothing it keeps may be stale.
func TestSigner_SameAsTheSDK(t *testing.T) {
	type makes = func(generator, testing.TB) tchttp.Request
	get, post := http.MethodGet, http.MethodPost
	shapes := []struct {
		name, method string
		unsigned     bool
		make         makes
	}{
		{"typed read, POST", post, false, func(g generator, _ testing.TB) tchttp.Request { return g.describeInstances() }},
		{"typed write, POST", post, false, func(g generator, _ testing.TB) tchttp.Request { return g.runInstances(g.size()) }},
		{"typed, POST unsigned", post, true, func(g generator, _ testing.TB) tchttp.Request { return g.runInstances(g.size()) }},
		{"typed read, GET", get, false, func(g generator, _ testing.TB) tchttp.Request { return g.describeInstances() }},
		{"typed write, GET", get, false, func(g generator, _ testing.TB) tchttp.Request { return g.runInstances(500) }},
		{"typed, GET unsigned", get, true, func(g generator, _ testing.TB) tchttp.Request { return g.describeInstances() }},
		{"CommonRequest, POST", post, false, generator.json},
		{"CommonRequest, POST unsigned", post, true, generator.json},
		{"CommonRequest, GET", get, false, generator.query},
		{"CommonRequest, GET unsigned", get, true, generator.query},
		{"CommonRequest, octet-stream", post, false, generator.octetStream},
		{"CommonRequest, octet-stream unsigned", post, true, generator.octetStream},
		{"typed, octet-stream", post, false, generator.upload},
		{"typed, octet-stream unsigned", post, true, generator.upload},
		{"a Content-Type of its own", post, false, func(g generator, t testing.TB) tchttp.Request { return g.withContentType(g.json(t)) }},
		{"a Content-Type of its own, GET", get, false, func(g generator, t testing.TB) tchttp.Request { return g.withContentType(g.query(t)) }},
	}
	synctest.Test(t, func(t *testing.T) { // where the days pass by
		g := generator{rand.New(rand.NewPCG(3, 200))}
		var key common.CredentialIface
		signer := tencenthttp.TC3Signer(tencenthttp.CredentialFunc(func(ctx context.Context) (tencenthttp.Credentials, error) {
			return fromSDK(key).Credentials(ctx)
		}))
		distinct := map[string]int{} // by what the request shows
		var longest int64
		for range 20 {
			for _, shape := range shapes {
				key = g.credential()
				wire := &recorder{}
				client := common.NewCommonClient(key, pick(g, "", region, "ap-singapore", "eu-frankfurt"), g.profile(shape.method, shape.unsigned)).
					WithHttpTransport(wire).WithRequestClient(pick(g, "terraform", "my-tool 1.0"))

				require.NoError(t, client.Send(shape.make(g, t), tchttp.NewCommonResponse()), shape.name)

				require.NotNil(t, wire.last, shape.name)
				require.Equal(t, shape.method, wire.last.Method)
				require.Equal(t, shape.unsigned, wire.last.Header.Get("X-TC-Content-SHA256") == "UNSIGNED-PAYLOAD")
				requireSameSignature(t, signer, wire.last)
				distinct[wire.last.Header.Get("Authorization")]++
				for _, name := range []string{"Host " + wire.last.Host, "Region " + wire.last.Header.Get("X-TC-Region"), "Token " + wire.last.Header.Get("X-TC-Token")} {
					distinct[name]++
				}
				longest = max(longest, wire.last.ContentLength)
				time.Sleep(time.Duration(g.Int64N(int64(9 * time.Hour))))
			}
		}
		count := func(prefix string) int {
			return len(slices.DeleteFunc(slices.Collect(maps.Keys(distinct)), func(s string) bool { return !strings.HasPrefix(s, prefix) }))
		}
		assert.GreaterOrEqual(t, count("TC3-HMAC-SHA256 "), 200)
		assert.Greater(t, count("Host "), 8)
		assert.Equal(t, 4, count("Region "))
		assert.Equal(t, 2, count("Token "))
		assert.Greater(t, longest, int64(80<<10))
	})
}

// FuzzCanonicalQuery has the SDK sign a GET with any parameters. Data is their keys and values, each behind a byte of its length.
func FuzzCanonicalQuery(f *testing.F) {
	for _, words := range [][]string{
		{},
		{"", ""},
		{"Limit", "5"},
		{"", "value"},
		{"key", ""},
		{"Filters.0.Name", "zone", "Filters.0.Values.0", "a b+c%20", "Filters.0.Values.1", "&=;#?"},
		{"名", "世界", "a", "\xff\x00\n"},
		{"B", "1", "a", "2", "A", "3", "a.10", "4", "a.2", "5"},
		{"Action", "mine", "Region", "mine", "Language", "mine", "Timestamp", "1"},
		{"~-_.*!'()", "~-_.*!'()"},
	} {
		var data []byte
		for _, word := range words {
			data = append(append(data, byte(len(word))), word...)
		}
		f.Add(data)
	}
	wire := &recorder{}
	client := newCommon(wire, signed("TC3-HMAC-SHA256", http.MethodGet))
	signer := tencenthttp.TC3Signer(fromSDK(credential()))
	f.Fuzz(func(t *testing.T, data []byte) {
		request := tchttp.NewCommonRequest("cvm", "2017-03-12", "DescribeInstances")
		next := func() (word string) {
			if len(data) > 0 {
				end := min(1+int(data[0]), len(data))
				word, data = string(data[1:end]), data[end:]
			}
			return word
		}
		for len(data) > 0 {
			key := next()
			request.GetParams()[key] = next()
		}

		require.NoError(t, client.Send(request, tchttp.NewCommonResponse()))

		requireSameSignature(t, signer, wire.last)
	})
}

// A request of the SDK that the SDK signed is not signed again, though a signer is there.
func TestSDK_SignerLeavesTheFirstAttemptAlone(t *testing.T) {
	for _, signature := range signatures {
		t.Run(signature.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sdk, sent := &recorder{}, &recorder{}
				require.NoError(t, describeInstances(newCVM(t, sdk, signature.edit)))
				provider := tencenthttp.StaticCredentials("AKIDother", "other", "other")
				rt := newTransport(t, sent, tencenthttp.WithSigner(tencenthttp.TC3Signer(provider)))

				require.NoError(t, describeInstances(newCVM(t, rt, signature.edit)))

				assert.Equal(t, sdk.last.Header, sent.last.Header)
				assert.Equal(t, cvmHost, sent.last.Host)
			})
		})
	}
}
