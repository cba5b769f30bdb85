package tencenthttp

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseAuthorization(t *testing.T) {
	const rest = ", SignedHeaders=content-type;host, Signature=c492e8e4"
	whole := authorization{testSecretID, "2019-02-25", "cvm", "content-type;host"}
	rows := []struct {
		name, header string
		want         authorization // empty: not readable
	}{
		{"as documented", "TC3-HMAC-SHA256 Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request" + rest, whole},
		{"without blanks", "TC3-HMAC-SHA256 Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request,SignedHeaders=content-type;host,Signature=c4", whole},
		{"more blanks", "TC3-HMAC-SHA256   Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request ,  SignedHeaders=content-type;host,  Signature=c4", whole},
		{"other order", "TC3-HMAC-SHA256 SignedHeaders=content-type;host, Signature=c4, Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request", whole},
		{"SecretId with slashes", "TC3-HMAC-SHA256 Credential=a/b/2019-02-25/cvm/tc3_request" + rest, authorization{"a/b", "2019-02-25", "cvm", "content-type;host"}},
		{"first of two", "TC3-HMAC-SHA256 Credential=a/2019-02-25/cvm/tc3_request, Credential=b/2019-02-25/cvm/tc3_request", authorization{"a", "2019-02-25", "cvm", ""}},
		{"no SecretId", "TC3-HMAC-SHA256 Credential=/2019-02-25/cvm/tc3_request" + rest, authorization{}},
		{"no date", "TC3-HMAC-SHA256 Credential=" + testSecretID + "/cvm/tc3_request" + rest, authorization{}},
		{"no service", "TC3-HMAC-SHA256 Credential=tc3_request" + rest, authorization{}},
		{"no end", "TC3-HMAC-SHA256 Credential=" + testSecretID + "/2019-02-25/cvm" + rest, authorization{}},
		{"no Credential", "TC3-HMAC-SHA256 SignedHeaders=host, Signature=c4", authorization{}},
		{"another case", "TC3-HMAC-SHA256 credential=" + testSecretID + "/2019-02-25/cvm/tc3_request", authorization{}},
		{"another scheme", "AWS4-HMAC-SHA256 Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request" + rest, authorization{}},
		{"a longer scheme", "TC3-HMAC-SHA256X Credential=" + testSecretID + "/2019-02-25/cvm/tc3_request" + rest, authorization{}},
		{"the scheme alone", "TC3-HMAC-SHA256", authorization{}},
		{"the scheme and a blank", "TC3-HMAC-SHA256 ", authorization{}},
		{"SKIP", "SKIP", authorization{}},
		{"empty", "", authorization{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, ok := parseAuthorization(row.header)
			assert.Equal(t, row.want, got)
			assert.Equal(t, row.want != authorization{}, ok)
		})
	}
}

func TestSignatureTooOld(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	seconds := func(age time.Duration) string { return strconv.FormatInt(at.Add(-age).Unix(), 10) }
	rows := []struct {
		name, authorization, timestamp string
		want                           bool
	}{
		{"C43 fresh", tc3Scheme + " x", seconds(0), false},
		{"C43 270 s", tc3Scheme + " x", seconds(270 * time.Second), false},
		{"C43 271 s", tc3Scheme + " x", seconds(271 * time.Second), true},
		{"C43 from the future", tc3Scheme + " x", seconds(-time.Hour), false},
		{"C43 from 1970", tc3Scheme + " x", "0", true},
		{"C43 unsigned", "", seconds(time.Hour), false},
		{"C43 signature v1", "Basic x", seconds(time.Hour), false},
		{"C43 no timestamp", tc3Scheme + " x", "", false},
		{"C43 garbage", tc3Scheme + " x", "12:00", false},
		{"C43 out of range", tc3Scheme + " x", "9" + strconv.FormatInt(math.MaxInt64, 10), false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			req := &http.Request{Header: http.Header{"Authorization": {row.authorization}, "X-Tc-Timestamp": {row.timestamp}}}
			assert.Equal(t, row.want, signatureTooOld(req, at))
			req.Header = http.Header{"Authorization": {row.authorization}, "X-TC-Timestamp": {row.timestamp}}
			assert.Equal(t, row.want, signatureTooOld(req, at), "as the SDK writes it")
		})
	}
}

func TestTransport_SendsNoOldSignatureAgain(t *testing.T) {
	rows := []struct {
		name  string
		age   time.Duration
		delay time.Duration
		opts  []Option
		calls int
		took  time.Duration
	}{
		{name: "C43 young enough after the delay", age: 260 * time.Second, delay: 10 * time.Second, calls: 2, took: 10 * time.Second},
		{name: "C43 too old after the delay", age: 260 * time.Second, delay: 11 * time.Second, calls: 1},
		{name: "C43 too old at first: the answer says so", age: 400 * time.Second, delay: time.Second, calls: 1},
		{
			name: "C43 too old after its turn", age: 260 * time.Second, delay: time.Second, calls: 1, took: 20 * time.Second,
			opts: []Option{WithRateLimit(0.05, 1), WithoutPacing()},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := scripted(reply(200, apiError("OperationDenied.MutexTaskRunning")))
				var done DoneInfo
				opts := append(row.opts, WithMaxAttempts(2),
					WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(row.delay) }),
					WithHooks(Hooks{Done: func(_ context.Context, info DoneInfo) { done = info }}))
				req := newRequest(t, "RunInstances", `{}`)
				start := time.Now()
				req.Header.Set("X-TC-Timestamp", strconv.FormatInt(start.Add(-row.age).Unix(), 10))
				resp, err := newTransport(t, base, opts...).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, apiError("OperationDenied.MutexTaskRunning"), readAll(t, resp))
				assert.Equal(t, row.calls, base.attempts())
				assert.Equal(t, row.took, time.Since(start).Round(time.Millisecond))
				if row.calls == 1 {
					assert.Equal(t, ReasonSignatureTooOld, done.Reason)
				}
			})
		})
	}
}

// FuzzAuthorization checks that a credential which was read is one that is there, and that one which is there is read.
func FuzzAuthorization(f *testing.F) {
	f.Add("TC3-HMAC-SHA256 Credential=AKID/2019-02-25/cvm/tc3_request, SignedHeaders=host, Signature=c4", "AKID", "2019-02-25", "cvm")
	f.Add("TC3-HMAC-SHA256 Credential=/,Credential=", "a/b", "", "")
	f.Add("TC3-HMAC-SHA256 ,,Credential=////tc3_request", "=", " ", "\xff")
	f.Fuzz(func(t *testing.T, header, secretID, date, service string) {
		if got, ok := parseAuthorization(header); ok {
			require.NotEmpty(t, got.secretID)
			require.True(t, strings.HasPrefix(header, tc3Scheme+" "))
			require.Contains(t, header, "Credential="+got.secretID+"/"+got.date+"/"+got.service+"/tc3_request")
		} else {
			require.Equal(t, authorization{}, got)
		}
		if secretID == "" || strings.Contains(secretID, ",") || strings.ContainsAny(date+service, "/,") {
			return
		}
		got, ok := parseAuthorization(tc3Scheme + " Signature=c4, SignedHeaders=host, Credential=" + secretID + "/" + date + "/" + service + "/tc3_request")
		require.True(t, ok)
		require.Equal(t, authorization{secretID, date, service, "host"}, got)
	})
}
