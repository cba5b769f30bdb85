package tctest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// The key of the worked examples in the public documentation of the API.
const (
	docID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	docKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

// at returns a service that has the documentation's key and whose clock shows t.
func at(t time.Time, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
	api := tctest.New(append(opts, tctest.WithCredential(docID, docKey, ""), tctest.WithClockOffset(time.Until(t)))...)
	return api, api.RoundTripper()
}

func TestCredential_WorkedExampleOfTC3(t *testing.T) {
	_, rt := at(time.Unix(1551113065, 0))
	r := newCall(t, "DescribeInstances", `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-TC-Timestamp", "1551113065")
	r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential="+docID+"/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, "+
		"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")
	assert.Equal(t, empty, send(t, rt, r))
}

func TestCredential_WorkedExampleOfV1(t *testing.T) {
	_, rt := at(time.Unix(1465185768, 0))
	r, err := http.NewRequest(http.MethodGet, endpoint+"?Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Limit=20&Nonce=11886&Offset=0"+
		"&Region=ap-guangzhou&SecretId="+docID+"&Signature=EliP9YW3pW28FpsEdkXt%2F%2BWcGeI%3D&Timestamp=1465185768&Version=2017-03-12", nil)
	require.NoError(t, err)
	assert.Equal(t, empty, send(t, rt, r))
}

func TestCredential_TC3(t *testing.T) {
	now := time.Date(2026, 3, 4, 0, 2, 0, 0, time.UTC)
	good := signer{id: docID, key: docKey, now: now}
	with := func(change func(*signer)) signer { s := good; change(&s); return s }
	post := func() *http.Request { return newCall(t, "DescribeInstances", `{"Limit":1}`) }
	get := func(query string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, endpoint+query, nil)
		require.NoError(t, err)
		r.Header.Set("X-TC-Action", "DescribeInstances")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	set := func(r *http.Request, name, value string) *http.Request { r.Header.Set(name, value); return r }
	tests := []struct {
		name string
		r    *http.Request
		want string
	}{
		{"right", good.tc3(post()), ""},
		{"more headers signed", with(func(s *signer) { s.headers = []string{"content-type", "host", "x-tc-action"} }).tc3(post()), ""},
		{"values in lower case", with(func(s *signer) { s.headers, s.lower = []string{"content-type", "host", "x-tc-action"}, true }).tc3(post()), ""},
		{"no space after the comma", func() *http.Request {
			r := good.tc3(post())
			return set(r, "Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}(), ""},
		{"GET", good.tc3(get("?Limit=1&Offset=0")), ""},
		{"GET without parameters", good.tc3(get("")), ""},
		{"GET, unsorted", good.tc3(get("?b=2&a=1%202")), ""},
		{"unsigned payload", func() *http.Request { return good.tc3(set(post(), "X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")) }(), ""},
		{"octets", good.tc3(set(post(), "Content-Type", "application/octet-stream")), ""},
		{"300 s old", with(func(s *signer) { s.now = now.Add(-300 * time.Second) }).tc3(post()), ""},
		{"300 s ahead", with(func(s *signer) { s.now = now.Add(300 * time.Second) }).tc3(post()), ""},

		{"another key", with(func(s *signer) { s.key = "x" }).tc3(post()), "AuthFailure.SignatureFailure"},
		{"another body", func() *http.Request {
			r := good.tc3(post())
			other := newCall(t, "DescribeInstances", `{"Limit":2}`)
			other.Header = r.Header
			return other
		}(), "AuthFailure.SignatureFailure"},
		{"another host", func() *http.Request {
			r := good.tc3(post())
			r.Host = "cvm.ap-guangzhou.tencentcloudapi.com"
			return r
		}(), "AuthFailure.SignatureFailure"},
		{"another time", set(good.tc3(post()), "X-TC-Timestamp", strconv.FormatInt(now.Unix()+1, 10)), "AuthFailure.SignatureFailure"},
		{"another service", with(func(s *signer) { s.service = "cbs" }).tc3(post()), "AuthFailure.SignatureFailure"},
		{"another date", with(func(s *signer) { s.date = "2026-03-03" }).tc3(post()), "AuthFailure.SignatureFailure"},
		{"a signed header changed", func() *http.Request {
			s := with(func(s *signer) { s.headers = []string{"content-type", "host", "x-tc-action"} })
			return set(s.tc3(post()), "X-TC-Action", "TerminateInstances")
		}(), "AuthFailure.SignatureFailure"},
		{"host not signed", with(func(s *signer) { s.headers = []string{"content-type"} }).tc3(post()), "AuthFailure.SignatureFailure"},
		{"payload claimed unsigned", set(good.tc3(post()), "X-TC-Content-SHA256", "UNSIGNED-PAYLOAD"), "AuthFailure.SignatureFailure"},
		{"garbage", set(set(post(), "Authorization", "Bearer x"), "X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10)), "AuthFailure.SignatureFailure"},
		{"unsigned", set(post(), "X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10)), "AuthFailure.SignatureFailure"},
		{"no timestamp", post(), "MissingParameter"},
		{"timestamp is no number", set(good.tc3(post()), "X-TC-Timestamp", "now"), "InvalidParameter"},
		{"timestamp out of any range", set(good.tc3(post()), "X-TC-Timestamp", "9223372036854775807"), "AuthFailure.SignatureExpire"},
		{"unknown key", with(func(s *signer) { s.id = "AKIDother" }).tc3(post()), "AuthFailure.SecretIdNotFound"},
		{"301 s old", with(func(s *signer) { s.now = now.Add(-301 * time.Second) }).tc3(post()), "AuthFailure.SignatureExpire"},
		{"301 s ahead", with(func(s *signer) { s.now = now.Add(301*time.Second + 999*time.Millisecond) }).tc3(post()), "AuthFailure.SignatureExpire"},
		{"a token that is not asked for", with(func(s *signer) { s.token = "t" }).tc3(post()), "AuthFailure.TokenFailure"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // time stands still: 300 s are 300 s
				_, rt := at(now)
				assert.Equal(t, tt.want, codeOf(send(t, rt, tt.r.WithContext(t.Context()))))
			})
		})
	}
}

func TestCredential_V1(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	good := signer{id: docID, key: docKey, now: now}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, algorithm := range []string{"", "HmacSHA1", "HmacSHA256"} {
			t.Run(method+algorithm, func(t *testing.T) {
				api, rt := at(now)
				params := func() map[string]string {
					return map[string]string{"Action": "DescribeInstances", "Region": "ap-guangzhou", "Version": "2017-03-12", "Name": "a b+&=未/~"}
				}
				assert.Empty(t, codeOf(send(t, rt, good.v1(method, algorithm, params()))))
				bad := good
				bad.key = "x"
				assert.Equal(t, "AuthFailure.SignatureFailure", codeOf(send(t, rt, bad.v1(method, algorithm, params()))))
				bad = good
				bad.now = now.Add(-302 * time.Second)
				assert.Equal(t, "AuthFailure.SignatureExpire", codeOf(send(t, rt, bad.v1(method, algorithm, params()))))
				bad = good
				bad.token = "t"
				assert.Equal(t, "AuthFailure.TokenFailure", codeOf(send(t, rt, bad.v1(method, algorithm, params()))))
				api.RemoveCredential(docID)
				assert.Equal(t, "AuthFailure.SecretIdNotFound", codeOf(send(t, rt, good.v1(method, algorithm, params()))))
				c := api.Calls()[0]
				assert.Equal(t, [...]string{"cvm", "DescribeInstances", "ap-guangzhou", "2017-03-12", docID},
					[...]string{c.Service, c.Action, c.Region, c.Version, c.SecretID})
			})
		}
	}
	_, rt := at(now)
	assert.Equal(t, "AuthFailure.SignatureFailure", codeOf(send(t, rt, good.v1(http.MethodGet, "HmacMD5", map[string]string{"Action": "X"}))))
}

func TestCredential_RotatesWhileRunning(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		sign := func(key, token string) string {
			return codeOf(send(t, rt, signer{id: "AKIDa", key: key, token: token, now: time.Now()}.tc3(newCall(t, "DescribeInstances", "{}"))))
		}
		assert.Empty(t, sign("k1", "t1"))
		api.SetCredential("AKIDa", "k2", "t2")
		assert.Equal(t, "AuthFailure.TokenFailure", sign("k1", "t1"))
		assert.Equal(t, "AuthFailure.SignatureFailure", sign("k1", "t2"))
		assert.Empty(t, sign("k2", "t2"))
		api.RemoveCredential("AKIDa")
		assert.Equal(t, "AuthFailure.SecretIdNotFound", sign("k2", "t2"))
	}, tctest.WithCredential("AKIDa", "k1", "t1"))
}

// A refusal for the signature leaves the script and the quota as they were.
func TestCredential_RefusalComesBeforeScriptAndQuota(t *testing.T) {
	api := tctest.New(tctest.WithCredential("AKIDa", "k", ""), tctest.WithQuota("*", tctest.TokenBucket(0, 1)))
	api.Script("X", tctest.Fail("InternalError").Times(2), tctest.Fail("FailedOperation").Forever())
	good, bad := signer{id: "AKIDa", key: "k", now: time.Now()}, signer{id: "AKIDa", key: "no", now: time.Now()}
	var got []string
	for _, s := range []signer{bad, good, bad, good, good, bad, good} {
		got = append(got, codeOf(send(t, api.RoundTripper(), s.tc3(newCall(t, "X", "{}")))))
	}
	const no = "AuthFailure.SignatureFailure"
	assert.Equal(t, []string{no, "InternalError", no, "InternalError", "FailedOperation", no, "FailedOperation"}, got)
	api.ClearScripts()
	assert.Equal(t, no, codeOf(send(t, api.RoundTripper(), bad.tc3(newCall(t, "X", "{}")))))
	assert.Empty(t, codeOf(send(t, api.RoundTripper(), good.tc3(newCall(t, "X", "{}")))))
	assert.Equal(t, "RequestLimitExceeded", codeOf(send(t, api.RoundTripper(), good.tc3(newCall(t, "X", "{}")))))
}

func TestAPI_ClockShowsInDate(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		api.SetClockOffset(-time.Hour)
		date := func() string {
			resp, err := rt.RoundTrip(newCall(t, "X", "{}"))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp.Header.Get("Date")
		}
		got, err := http.ParseTime(date())
		require.NoError(t, err)
		assert.WithinDuration(t, api.ServerTime(), got, 2*time.Second)
		assert.WithinDuration(t, time.Now().Add(-time.Hour), got, 5*time.Second)
		api.SetDate(func(time.Time) string { return "yesterday" })
		assert.Equal(t, "yesterday", date())
		api.SetDate(func(time.Time) string { return "" })
		assert.Empty(t, date())
		api.SetDate(nil)
		assert.Contains(t, date(), "GMT")
	})
}
