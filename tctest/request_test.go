package tctest_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// shapes are the forms in which clients send calls. Each names the same target and parameters.
func shapes(t *testing.T) map[string]*http.Request {
	build := func(method, query, contentType, body string, headers bool) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, endpoint+query, strings.NewReader(body))
		require.NoError(t, err)
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		if headers {
			r.Header.Set("X-TC-Action", "RunInstances")
			r.Header.Set("X-TC-Version", "2017-03-12")
			r.Header.Set("X-TC-Region", "ap-guangzhou")
			r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDa/2026-01-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00")
		}
		return r
	}
	const params, target = "ClientToken=tok-1&Count=2", "&Action=RunInstances&Version=2017-03-12&Region=ap-guangzhou&SecretId=AKIDa&Signature=x"
	const form = "application/x-www-form-urlencoded"
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	require.NoError(t, m.WriteField("ClientToken", "tok-1"))
	require.NoError(t, m.WriteField("Count", "2"))
	part, err := m.CreateFormFile("File", "f")
	require.NoError(t, err)
	_, _ = part.Write([]byte("octets"))
	require.NoError(t, m.Close())
	return map[string]*http.Request{
		"TC3 POST JSON":      build("POST", "", "application/json; charset=utf-8", `{"ClientToken":"tok-1","Count":2}`, true),
		"TC3 GET":            build("GET", "?"+params, form, "", true),
		"TC3 POST multipart": build("POST", "", m.FormDataContentType(), b.String(), true),
		"v1 GET":             build("GET", "?"+params+target, "", "", false),
		"v1 POST form":       build("POST", "", form, params+target, false),
	}
}

func TestRequest_SameForEveryShape(t *testing.T) {
	for name := range shapes(t) {
		t.Run(name, func(t *testing.T) {
			inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
				api.Handle("cvm:RunInstances", func(r *tctest.Request) (any, error) {
					assert.Equal(t, []string{"cvm", "RunInstances", "2017-03-12", "ap-guangzhou", "AKIDa", "cvm.tencentcloudapi.com"},
						[]string{r.Service, r.Action, r.Version, r.Region, r.SecretID, r.Host})
					assert.Equal(t, []string{"tok-1", "2", ""}, []string{r.ClientToken(), r.Param("Count"), r.Param("Nothing")})
					assert.NoError(t, r.Context().Err())
					return map[string]bool{"Handled": true}, nil
				})
				assert.Contains(t, send(t, rt, shapes(t)[name]), `"Handled":true`)
				assert.Equal(t, 1, api.Count("RunInstances"))
				assert.Equal(t, 1, api.Count())
				assert.Equal(t, "tok-1", api.Calls(tctest.ByAction("RunInstances"))[0].ClientToken)
			})
		})
	}
}

func TestRequest_Decode(t *testing.T) {
	api := tctest.New()
	api.Handle("X", func(r *tctest.Request) (any, error) {
		var params struct{ Limit int }
		err := r.Decode(&params)
		return params, err
	})
	assert.Contains(t, send(t, api.RoundTripper(), newCall(t, "X", `{"Limit":3}`)), `{"Limit":3,`)
	assert.Contains(t, send(t, api.RoundTripper(), newCall(t, "X", "")), `{"Limit":0,`)
	assert.Equal(t, "InternalError", codeOf(send(t, api.RoundTripper(), newCall(t, "X", `{"Limit":"x"}`))))
}

func TestRequest_ClientTokenOnlyAtTheTop(t *testing.T) {
	for body, want := range map[string]string{
		`{"ClientToken":"a"}`: "a", `{"Nested":{"ClientToken":"a"}}`: "", `{"clienttoken":"a"}`: "", `{"ClientToken":7}`: "7",
		`{"ClientToken`: "", `"ClientToken"`: "", ``: "",
	} {
		api := tctest.New()
		send(t, api.RoundTripper(), newCall(t, "X", body))
		assert.Equal(t, want, api.Calls()[0].ClientToken, body)
	}
}

func TestRequest_EmptyMethodIsGET(t *testing.T) {
	api := tctest.New()
	r := newCall(t, "X", "")
	r.Method, r.Body = "", nil
	assert.Equal(t, "ok", fate(api.RoundTripper(), r))
	assert.Equal(t, "GET", api.Calls()[0].Method)
}

func TestRequest_ServiceOfAHost(t *testing.T) {
	for host, want := range map[string]string{
		"cvm.tencentcloudapi.com": "cvm", "cvm.ap-guangzhou.tencentcloudapi.com:443": "cvm", "127.0.0.1:80": "", "localhost": "", "[::1]:80": "", "x.": "",
	} {
		api := tctest.New()
		r := newCall(t, "X", "{}")
		r.Host = host
		send(t, api.RoundTripper(), r)
		assert.Equal(t, want, api.Calls()[0].Service, host)
	}
}

func TestRequest_Nonsense(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		name, method, query, contentType, body, want string
	}{
		{"another method", "PUT", "", "application/json", "{}", "UnsupportedProtocol"},
		{"query that is none", "GET", "?a=%zz", "", "", "400"},
		{"form that is none", "POST", "", form, "a=%zz", "400"},
		{"multipart that is none", "POST", "", "multipart/form-data; boundary=x", "--y", "400"},
		{"long query", "GET", "?a=" + strings.Repeat("x", 32<<10), "", "", "RequestSizeLimitExceeded"},
		{"large form of signature v1", "POST", "", form, "Action=X&Signature=x&a=" + strings.Repeat("x", 1<<20), "RequestSizeLimitExceeded"},
		{"larger than the service takes", "POST", "", "application/json", strings.Repeat(" ", 10<<20+1), "413"},
		{"as large as the service takes", "POST", "", "application/json", "{}" + strings.Repeat(" ", 10<<20-2), "ok"},
		{"no JSON, but nobody is strict", "POST", "", "application/json", "{", "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, form := range []string{"memory", "http"} {
				if form == "http" && len(tt.body) > 1<<20 {
					continue // takes seconds under -race
				}
				t.Run(form, func(t *testing.T) {
					_, rt := inForm(t, form)
					r, err := http.NewRequestWithContext(t.Context(), tt.method, endpoint+tt.query, strings.NewReader(tt.body))
					require.NoError(t, err)
					r.Header.Set("Content-Type", tt.contentType)
					r.Header.Set("X-TC-Action", "X")
					assert.Equal(t, tt.want, fate(rt, r))
				})
			}
		})
	}
	inAllForms(t, func(t *testing.T, _ *tctest.API, rt http.RoundTripper) {
		assert.Equal(t, "ok", fate(rt, newCall(t, "X", "12345678")))
		assert.Equal(t, "413", fate(rt, newCall(t, "X", "123456789")))
		r := newCall(t, "X", "123456789")
		r.ContentLength = -1
		assert.Equal(t, "413", fate(rt, r))
	}, tctest.WithMaxBody(8))
	assert.Panics(t, func() { tctest.WithMaxBody(0) })
}
