package tctest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseAuthorization(t *testing.T) {
	want := authorization{"AKID", "2019-02-25", "cvm", "content-type;host", "00ff"}
	tests := []struct {
		name, header string
		ok           bool
	}{
		{"as documented", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff", true},
		{"without spaces", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request,SignedHeaders=content-type;host,Signature=00ff", true},
		{"in another order", "TC3-HMAC-SHA256 Signature=00ff, SignedHeaders=content-type;host, Credential=AKID/2019-02-25/cvm/tc3_request", true},
		{"empty", "", false},
		{"the SDK's word for none", "SKIP", false},
		{"algorithm only", "TC3-HMAC-SHA256", false},
		{"another algorithm", "TC4-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff", false},
		{"longer algorithm", "TC3-HMAC-SHA2560 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff", false},
		{"no signature", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host", false},
		{"empty signature", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=", false},
		{"two signatures", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff, Signature=00ff", false},
		{"no headers", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, Signature=00ff", false},
		{"short scope", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/tc3_request, SignedHeaders=content-type;host, Signature=00ff", false},
		{"long scope", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request/x, SignedHeaders=content-type;host, Signature=00ff", false},
		{"another end of scope", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/aws4_request, SignedHeaders=content-type;host, Signature=00ff", false},
		{"no key", "TC3-HMAC-SHA256 Credential=/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff", false},
		{"unknown field", "TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff, x=y", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseAuthorization(tt.header)
			require.Equal(t, tt.ok, ok)
			if ok {
				assert.Equal(t, want, got)
			}
		})
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add("TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00ff")
	f.Add("TC3-HMAC-SHA256 Signature=a,Credential=//,SignedHeaders==")
	f.Add("TC3-HMAC-SHA256 ,,,")
	f.Add("SKIP")
	f.Fuzz(func(t *testing.T, header string) {
		a, ok := parseAuthorization(header)
		if !ok {
			require.Zero(t, a)
			return
		}
		require.NotContains(t, []string{a.secretID, a.date, a.service, a.signedHeaders, a.signature}, "")
		again, ok := parseAuthorization("TC3-HMAC-SHA256 Credential=" + a.secretID + "/" + a.scope() + ", SignedHeaders=" + a.signedHeaders + ", Signature=" + a.signature)
		require.True(t, ok)
		require.Equal(t, a, again)
	})
}
