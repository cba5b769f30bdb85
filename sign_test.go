package tencenthttp

import (
	"bytes"
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
	assert.Equal(t, "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", payload)
	canonical, err := canonicalRequest(req, "content-type;host;x-tc-action")
	require.NoError(t, err)
	assert.Equal(t, "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84", canonical)

	// An earlier edition signs fewer headers and gives its keys.
	signer := TC3Signer(StaticCredentials("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", ""))
	require.NoError(t, signer.Sign(req, time.Unix(1551113065, 0)))
	assert.Equal(t, "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, "+
		"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168", req.Header.Get("Authorization"))
}
