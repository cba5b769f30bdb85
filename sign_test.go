package tencenthttp

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func BenchmarkTC3Signer(b *testing.B) {
	for name, size := range map[string]int{"300B": 300, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			req, err := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", bytes.NewReader(make([]byte, size)))
			require.NoError(b, err)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-TC-Action", "DescribeInstances")
			signer := TC3Signer(StaticCredentials("id", "key", ""))
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, signer.Sign(req, now))
			}
		})
	}
}

// The worked example of the API's documentation on signature v3: its request, time and canonical hash.
func TestTC3Signer_DocumentedExample(t *testing.T) {
	body := `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	req, err := http.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("X-TC-Action", "DescribeInstances")
	payload, err := payloadHash(req)
	require.NoError(t, err)
	assert.Equal(t, "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", hex.EncodeToString(payload[:]))
	canonical, err := canonicalRequest(req, "content-type;host;x-tc-action")
	require.NoError(t, err)
	assert.Equal(t, "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84", hex.EncodeToString(canonical[:]))

	// An earlier edition signs fewer headers and gives its keys.
	signer := TC3Signer(StaticCredentials("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", ""))
	require.NoError(t, signer.Sign(req, time.Unix(1551113065, 0)))
	assert.Equal(t, "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, "+
		"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168", req.Header.Get("Authorization"))
}

func TestTC3Signer_KeepsWhatTheOriginalNames(t *testing.T) {
	signer := TC3Signer(StaticCredentials("id", "key", "token"))
	at := time.Unix(1_800_000_000, 0)
	newRequest := func(url string) *http.Request {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return req
	}
	t.Run("service and signed headers", func(t *testing.T) {
		req := newRequest("https://127.0.0.1/?b=2&a=1")
		req.Header["X-TC-Action"] = []string{"DescribeInstances"} // not in its canonical form
		req.Header.Set("Authorization", tc3Scheme+" Credential=old/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=0")
		require.NoError(t, signer.Sign(req, at))
		assert.Contains(t, req.Header.Get("Authorization"), "Credential=id/2027-01-15/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=")
		assert.Equal(t, "1800000000", req.Header.Get("X-TC-Timestamp"))
		assert.Equal(t, "token", req.Header.Get("X-TC-Token"))
	})
	t.Run("the order of the query does not matter", func(t *testing.T) {
		one, other := newRequest("https://cvm.tencentcloudapi.com/?b=2&a=1"), newRequest("https://cvm.tencentcloudapi.com/?a=1&b=2")
		require.NoError(t, signer.Sign(one, at))
		require.NoError(t, signer.Sign(other, at))
		assert.Equal(t, one.Header, other.Header)
	})
	t.Run("a query that is none is signed as it is", func(t *testing.T) {
		req := newRequest("https://cvm.tencentcloudapi.com/")
		req.URL.RawQuery = "a=%zz"
		assert.Equal(t, "a=%zz", canonicalQuery(req))
	})
	t.Run("a token that is no longer needed goes", func(t *testing.T) {
		req := newRequest("https://cvm.tencentcloudapi.com/")
		req.Header["X-TC-Token"] = []string{"old"}
		require.NoError(t, TC3Signer(StaticCredentials("id", "key", "")).Sign(req, at))
		assert.NotContains(t, req.Header, "X-TC-Token")
		assert.NotContains(t, req.Header, "X-Tc-Token")
	})
	t.Run("no service to be found", func(t *testing.T) {
		require.ErrorIs(t, signer.Sign(newRequest("https://127.0.0.1/"), at), errNoService)
	})
	t.Run("the Host header names the service, not the address", func(t *testing.T) {
		req := newRequest("https://cvm.tencentcloudapi.com/")
		req.Host = "cvm.ap-guangzhou.tencentcloudapi.com"
		assert.Equal(t, req.Host, canonicalHeader(req, "host"))
	})
}

func TestTC3Signer_Body(t *testing.T) {
	signer := TC3Signer(StaticCredentials("id", "key", ""))
	req := unsignedRequest(t, "DescribeInstances", "{}")
	getBody := req.GetBody
	req.GetBody = nil
	require.ErrorIs(t, signer.Sign(req, time.Now()), errNoBodyToHash)
	req.GetBody = func() (io.ReadCloser, error) { return nil, errRead }
	require.ErrorIs(t, signer.Sign(req, time.Now()), errRead)
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(errorReader{}), nil }
	require.ErrorIs(t, signer.Sign(req, time.Now()), errRead)
	req.GetBody = nil
	req.Header.Set("X-TC-Content-SHA256", unsignedPayload)
	require.NoError(t, signer.Sign(req, time.Now()))
	req.Header.Del("X-TC-Content-SHA256")
	req.GetBody = getBody
	require.NoError(t, signer.Sign(req, time.Now()))
}
