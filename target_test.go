package tencenthttp

import (
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testSecretID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"

// v1Params are the parameters of a call with signature v1.
func v1Params() url.Values {
	return url.Values{
		"Action": {"DescribeInstances"}, "Region": {"ap-shanghai"}, "SecretId": {testSecretID}, "Version": {"2017-03-12"},
		"Nonce": {"11886"}, "Timestamp": {"1465185768"}, "Signature": {"EliP9YW3pW28FpsEdkXt/+WcGeI="}, "Limit": {"20"},
	}
}

func multipartOf(t *testing.T, req *http.Request) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	require.NoError(t, w.WriteField("Action", "NotThisOne"))
	require.NoError(t, w.Close())
	req.Body, req.ContentLength = io.NopCloser(&body), int64(body.Len())
	req.Header.Set("Content-Type", w.FormDataContentType())
	return req
}

func TestIdentify(t *testing.T) {
	v3 := identity{"cvm", "cvm.tencentcloudapi.com", "ap-guangzhou", "DescribeInstances", testSecretID}
	v1 := identity{"cvm", "cvm.tencentcloudapi.com", "ap-shanghai", "DescribeInstances", testSecretID}
	unknown := identity{service: "cvm", host: "cvm.tencentcloudapi.com"}
	rows := []struct {
		name string
		make func(t *testing.T) *http.Request
		want identity
	}{
		{"TC3 POST with JSON", func(t *testing.T) *http.Request { return newRequest(t, "DescribeInstances", `{"Action":"NotThisOne"}`) }, v3},
		{"TC3 GET with a query", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", "")
			req.Method, req.URL.RawQuery = http.MethodGet, "Limit=20&Action=NotThisOne&Region=NorThis"
			return req
		}, v3},
		{"TC3 POST with a multipart body", func(t *testing.T) *http.Request { return multipartOf(t, newRequest(t, "DescribeInstances", "")) }, v3},
		{"TC3 POST with an octet stream", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", "Action=NotThisOne")
			req.Header.Set("Content-Type", "application/octet-stream")
			return req
		}, v3},
		{"TC3 with headers as the SDK writes them", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", `{}`)
			for _, name := range []string{"Action", "Region", "Timestamp"} {
				req.Header["X-TC-"+name] = req.Header["X-Tc-"+name]
				delete(req.Header, "X-Tc-"+name)
			}
			return req
		}, v3},
		{"TC3 without a region", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", `{}`)
			req.Header.Del("X-TC-Region")
			return req
		}, identity{"cvm", "cvm.tencentcloudapi.com", "", "DescribeInstances", testSecretID}},
		{"TC3 service from the credential, not the host", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", `{}`)
			req.URL.Host = "127.0.0.1:8080"
			return req
		}, identity{"cvm", "127.0.0.1:8080", "ap-guangzhou", "DescribeInstances", testSecretID}},
		{"unsigned (SkipSign)", func(t *testing.T) *http.Request {
			req := newRequest(t, "DescribeInstances", `{}`)
			req.Header.Set("Authorization", "SKIP")
			return req
		}, identity{"cvm", "cvm.tencentcloudapi.com", "ap-guangzhou", "DescribeInstances", ""}},
		{"v1 GET", func(t *testing.T) *http.Request {
			req := newForm(t, "")
			req.Method, req.URL.RawQuery = http.MethodGet, v1Params().Encode()
			return req
		}, v1},
		{"v1 GET with a broken query", func(t *testing.T) *http.Request {
			req := newForm(t, "")
			req.Method, req.URL.RawQuery = http.MethodGet, v1Params().Encode()+"&%zz=1;2"
			return req
		}, v1},
		{"v1 POST with a form", func(t *testing.T) *http.Request { return newForm(t, v1Params().Encode()) }, v1},
		{"v1 POST with a form and a charset", func(t *testing.T) *http.Request {
			req := newForm(t, v1Params().Encode())
			req.Header.Set("Content-Type", "Application/X-WWW-Form-Urlencoded ; charset=utf-8")
			return req
		}, v1},
		{"v1 POST with a form that is partly broken", func(t *testing.T) *http.Request { return newForm(t, v1Params().Encode()+"&%zz=1") }, v1},
		{"v1 POST with a form, and a query of other names", func(t *testing.T) *http.Request {
			req := newForm(t, v1Params().Encode())
			req.URL.RawQuery = "SubAction=x"
			return req
		}, v1},
		{"a form that cannot be read beforehand", func(t *testing.T) *http.Request { return withoutGetBody(newForm(t, v1Params().Encode())) }, unknown},
		{"a form whose GetBody fails", func(t *testing.T) *http.Request {
			req := newForm(t, v1Params().Encode())
			req.GetBody = func() (io.ReadCloser, error) { return nil, errLost }
			return req
		}, unknown},
		{"a form that cannot be read to its end", func(t *testing.T) *http.Request {
			req := newForm(t, v1Params().Encode())
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(errReader{errLost}), nil }
			return req
		}, unknown},
		{"a form longer than the API takes", func(t *testing.T) *http.Request {
			return newForm(t, v1Params().Encode()+"&X="+strings.Repeat("x", maxForm))
		}, unknown},
		{"a form of something else", func(t *testing.T) *http.Request { return newForm(t, "Region=ap-shanghai&SecretId=x") }, unknown},
		{"multipart without TC3 headers", func(t *testing.T) *http.Request { return multipartOf(t, newForm(t, "")) }, unknown},
		{"no call of the API, region and signature or not", func(t *testing.T) *http.Request { return newRequest(t, "", `{}`) }, unknown},
		{"host from the Host field", func(t *testing.T) *http.Request {
			return &http.Request{Host: "cos.ap-beijing.myqcloud.com", URL: &url.URL{}}
		}, identity{service: "cos", host: "cos.ap-beijing.myqcloud.com"}},
		{"nothing at all", func(t *testing.T) *http.Request { return &http.Request{} }, identity{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			req := row.make(t)
			if req.Body != nil {
				body := &trackedBody{Reader: req.Body}
				req.Body = body
				defer func() { assert.Zero(t, body.reads.Load(), "the request's own body is for the wire") }()
			}
			assert.Equal(t, row.want, identify(req))
			target := targetOf(req)
			assert.Equal(t, row.want.target(), target)
			assert.Equal(t, row.want.target(), row.want.clone().target())
			assert.NotContains(t, target.String()+target.LogValue().String(), testSecretID, "C41")
		})
	}
	t.Run("a form's copy is closed", func(t *testing.T) {
		copies := &bodies{content: v1Params().Encode()}
		req := newForm(t, "")
		req.GetBody = copies.make
		assert.Equal(t, v1, identify(req))
		copies.assertClosedOnce(t)
	})
	t.Run("a known target costs no allocation", func(t *testing.T) {
		req := newRequest(t, "DescribeInstances", `{}`)
		assert.Zero(t, testing.AllocsPerRun(100, func() { identify(req) }))
	})
}

func TestFirstLabel(t *testing.T) {
	for host, want := range map[string]string{
		"cvm.tencentcloudapi.com": "cvm", "cvm.ap-guangzhou.tencentcloudapi.com:443": "cvm", "localhost": "", "localhost:8080": "",
		"127.0.0.1": "", "127.0.0.1:80": "", "[::1]:80": "", "[::ffff:127.0.0.1]:80": "", "": "", ".": "", "cvm.": "", "a:b.c": "",
	} {
		assert.Equal(t, want, firstLabel(host), host)
	}
}

func TestTarget(t *testing.T) {
	rows := []struct {
		target Target
		want   string
	}{
		{Target{Service: "cvm", Host: "h", Region: "ap-guangzhou", Action: "RunInstances", Account: "0123456789abcdef"}, "cvm RunInstances in ap-guangzhou"},
		{Target{Service: "cam", Host: "h", Action: "ListUsers"}, "cam ListUsers"},
		{Target{Host: "h", Action: "ListUsers"}, "ListUsers"},
		{Target{Service: "cos", Host: "bucket.cos.ap-beijing.myqcloud.com"}, "bucket.cos.ap-beijing.myqcloud.com"},
		{Target{}, ""},
	}
	for _, row := range rows {
		assert.Equal(t, row.want, row.target.String())
	}
	var line bytes.Buffer
	slog.New(slog.NewTextHandler(&line, nil)).Info("call", "target", rows[0].target)
	assert.Contains(t, line.String(), "target.service=cvm target.host=h target.region=ap-guangzhou target.action=RunInstances")
	assert.NotContains(t, line.String(), "0123456789abcdef")
}

func TestFingerprint(t *testing.T) {
	assert.Empty(t, fingerprint(""))
	assert.Equal(t, "ca978112ca1bbdca", fingerprint("a")) // printf a | sha256sum
	assert.NotEqual(t, fingerprint("a"), fingerprint("b"))
}

// FuzzIdentify looks for requests that make identify panic, read what is not its own, or reveal a SecretId.
func FuzzIdentify(f *testing.F) {
	f.Add("cvm.tencentcloudapi.com", "DescribeInstances", tc3Scheme+" Credential="+testSecretID+"/2019-02-25/cvm/tc3_request", "application/json", "", `{}`)
	f.Add("cvm.tencentcloudapi.com", "", "", "application/x-www-form-urlencoded", "", v1Params().Encode())
	f.Add("127.0.0.1:80", "", "", "", v1Params().Encode(), "")
	f.Add("[::1]", "", "", "application/x-www-form-urlencoded; charset=x", "SubAction=%zz&&=;", "Action=A&Action=B&%")
	f.Fuzz(func(t *testing.T, host, action, authorization, contentType, query, body string) {
		own := &trackedBody{Reader: strings.NewReader(body)}
		copies := &bodies{content: body}
		req := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: host, RawQuery: query},
			Header:        http.Header{"X-Tc-Action": {action}, "Authorization": {authorization}, "Content-Type": {contentType}},
			ContentLength: int64(len(body)), Body: own, GetBody: copies.make,
		}
		id := identify(req)
		copies.assertClosedOnce(t)
		require.Zero(t, own.reads.Load())
		require.Equal(t, id, identify(req))
		require.Equal(t, host, id.host)
		switch inQuery, _ := url.ParseQuery(query); {
		case action != "":
			require.Equal(t, action, id.action)
		case strings.Contains(query, "Action=") && inQuery.Get("Action") != "":
			require.Equal(t, inQuery.Get("Action"), id.action)
		case !isForm(req):
			require.Empty(t, id.action)
		}
		if id.action == "" {
			require.Empty(t, id.region+id.secretID)
		}
		target := id.target()
		require.Len(t, target.Account, map[bool]int{true: 16, false: 0}[id.secretID != ""])
	})
}
