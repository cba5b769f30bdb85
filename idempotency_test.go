package tencenthttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const cvmURL = "https://cvm.tencentcloudapi.com/"

// tc3Request is a call with signature v3, as the SDK sends it.
func tc3Request(t *testing.T, method, action, contentType, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, cvmURL, strings.NewReader(body))
	require.NoError(t, err)
	if body == "" {
		req.Body, req.GetBody = nil, nil
	}
	req.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDtest/2026-01-02/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00")
	req.Header.Set("X-TC-Action", action)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func tc3JSON(t *testing.T, action, body string) *http.Request {
	t.Helper()
	return tc3Request(t, http.MethodPost, action, "application/json", body)
}

// v1Request is a call with signature v1: everything is a parameter, of the query or of a form.
func v1Request(t *testing.T, method string, parameters url.Values) *http.Request {
	t.Helper()
	parameters.Set("SecretId", "AKIDtest")
	if method == http.MethodGet {
		req, err := http.NewRequestWithContext(t.Context(), method, cvmURL+"?"+parameters.Encode(), nil)
		require.NoError(t, err)
		return req
	}
	req, err := http.NewRequestWithContext(t.Context(), method, cvmURL, strings.NewReader(parameters.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

func TestIdempotent_shapesOfRequests(t *testing.T) {
	tc3Get := func(action, query string) *http.Request {
		req := tc3Request(t, http.MethodGet, action, "application/x-www-form-urlencoded", "")
		req.URL.RawQuery = query
		return req
	}
	multipartBody := new(bytes.Buffer)
	parts := multipart.NewWriter(multipartBody)
	require.NoError(t, parts.WriteField("ClientToken", "t-1"))
	require.NoError(t, parts.Close())

	for _, row := range []struct {
		name string
		want bool
		req  *http.Request
	}{
		{"TC3 POST, read", true, tc3JSON(t, "DescribeInstances", `{}`)},
		{"TC3 POST, write", false, tc3JSON(t, "RunInstances", `{}`)},
		{"TC3 POST, write with token", true, tc3JSON(t, "RunInstances", `{"Zone":"z","ClientToken":"t-1"}`)},
		{"TC3 POST, type with charset", true, tc3Request(t, http.MethodPost, "RunInstances", "application/json; charset=utf-8", `{"ClientToken":"t-1"}`)},
		{"TC3 POST, no type", true, tc3Request(t, http.MethodPost, "RunInstances", "", `{"ClientToken":"t-1"}`)},
		{"TC3 GET, read", true, tc3Get("DescribeInstances", "Limit=1")},
		{"TC3 GET, write", false, tc3Get("RunInstances", "Zone=z")},
		{"TC3 GET, write with token", true, tc3Get("RunInstances", "ClientToken=t-1&Zone=z")},
		{"TC3 GET, empty token", false, tc3Get("RunInstances", "ClientToken=")},
		{"TC3 GET, another's token", false, tc3Get("RunInstances", "OtherClientToken=t-1")},
		{"v1 GET, read", true, v1Request(t, http.MethodGet, url.Values{"Action": {"DescribeInstances"}})},
		{"v1 GET, write", false, v1Request(t, http.MethodGet, url.Values{"Action": {"RunInstances"}})},
		{"v1 GET, write with token", true, v1Request(t, http.MethodGet, url.Values{"Action": {"RunInstances"}, "ClientToken": {"t-1"}})},
		{"v1 POST, read", true, v1Request(t, http.MethodPost, url.Values{"Action": {"DescribeInstances"}})},
		{"v1 POST, write", false, v1Request(t, http.MethodPost, url.Values{"Action": {"RunInstances"}})},
		{"v1 POST, write with token", true, v1Request(t, http.MethodPost, url.Values{"Action": {"RunInstances"}, "ClientToken": {"t-1"}})},
		{"v1 POST, empty token", false, v1Request(t, http.MethodPost, url.Values{"Action": {"RunInstances"}, "ClientToken": {""}})},
		{"v1 POST, broken form", false, tc3Request(t, http.MethodPost, "RunInstances", "application/x-www-form-urlencoded", "ClientToken=t-1&a=%zz")},
		{"multipart, read", true, tc3Request(t, http.MethodPost, "DescribeImages", parts.FormDataContentType(), multipartBody.String())},
		{"multipart, write: is not searched", false, tc3Request(t, http.MethodPost, "ImportImage", parts.FormDataContentType(), multipartBody.String())},
		{"octet-stream, read", true, tc3Request(t, http.MethodPost, "GetFile", "application/octet-stream", "bytes")},
		{"octet-stream, write", false, tc3Request(t, http.MethodPost, "UploadFile", "application/octet-stream", `{"ClientToken":"t-1"}`)},
		{"no body", false, tc3JSON(t, "RunInstances", "")},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, Idempotent(row.req)) })
	}
}

func TestIdempotent_clientTokenInJSON(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       bool
	}{
		{"at the top", `{"ClientToken":"t-1"}`, true},
		{"with escapes", `{"Client\u0054oken":"\u0074"}`, true},
		{"the last of two", `{"ClientToken":"","ClientToken":"t-1"}`, true},
		{"the last of two, empty", `{"ClientToken":"t-1","ClientToken":""}`, false},
		{"empty", `{"ClientToken":""}`, false},
		{"null", `{"ClientToken":null}`, false},
		{"number", `{"ClientToken":7}`, false},
		{"object", `{"ClientToken":{"ClientToken":"t-1"}}`, false},
		{"nested in an object", `{"Instance":{"ClientToken":"t-1"}}`, false},
		{"nested in a list", `{"Instances":[{"ClientToken":"t-1"}]}`, false},
		{"in a value", `{"Name":"ClientToken"}`, false},
		{"other case", `{"clientToken":"t-1"}`, false},
		{"in a list", `["ClientToken","t-1"]`, false},
		{"cut off", `{"ClientToken":"t-1"`, false},
		{"no JSON", `ClientToken=t-1`, false},
		{"none", `{}`, false},
		{"nothing", ``, false},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, Idempotent(tc3JSON(t, "RunInstances", row.body))) })
	}
}

func TestIdempotent_headers(t *testing.T) {
	for _, row := range []struct {
		header, value string
		want          bool
	}{
		{"Idempotency-Key", "k", true},
		{"X-Idempotency-Key", "k", true},
		{"Idempotency-Key", "", false},
		{"X-Request-Id", "k", false},
	} {
		t.Run(row.header+"="+row.value, func(t *testing.T) {
			req := tc3JSON(t, "RunInstances", `{}`)
			req.Header.Set(row.header, row.value)
			assert.Equal(t, row.want, Idempotent(req))
		})
	}
}

func TestIdempotent_methodWithoutAction(t *testing.T) {
	for _, row := range []struct {
		method string
		want   bool
	}{
		{"", true},
		{http.MethodGet, true},
		{http.MethodHead, true},
		{http.MethodOptions, true},
		{http.MethodTrace, true},
		{http.MethodPut, true},
		{http.MethodDelete, true},
		{http.MethodPost, false},
		{http.MethodPatch, false},
		{http.MethodConnect, false},
		{"get", false}, // methods are case-sensitive
	} {
		t.Run(row.method, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://bucket-125.cos.ap-guangzhou.myqcloud.com/key", nil)
			require.NoError(t, err)
			req.Method = row.method
			assert.Equal(t, row.want, Idempotent(req))

			req.Header.Set("X-TC-Action", "RunInstances")
			assert.False(t, Idempotent(req), "with an action the method does not count")
		})
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://example.com/", strings.NewReader(`{"ClientToken":"t-1"}`))
	require.NoError(t, err)
	assert.True(t, Idempotent(req), "a token counts without an action too")
}

func TestMayRunTwice_order(t *testing.T) {
	patterns := func(patterns ...string) []string { return patterns }
	for _, row := range []struct {
		name    string
		context []bool
		rules   idempotencyRules
		action  string
		want    bool
	}{
		{"nothing said, read", nil, idempotencyRules{}, "DescribeInstances", true},
		{"nothing said, write", nil, idempotencyRules{}, "RunInstances", false},
		{"context beats the name", []bool{false}, idempotencyRules{}, "DescribeInstances", false},
		{"context beats a pattern", []bool{true}, idempotencyRules{nonIdempotent: patterns("*")}, "RunInstances", true},
		{"context beats the other pattern", []bool{false}, idempotencyRules{idempotent: patterns("*")}, "RunInstances", false},
		{"the inner context counts", []bool{false, true}, idempotencyRules{}, "RunInstances", true},
		{"pattern", nil, idempotencyRules{idempotent: patterns("Modify*", "Run*")}, "RunInstances", true},
		{"pattern of another action", nil, idempotencyRules{idempotent: patterns("Modify*")}, "RunInstances", false},
		{"part of a name is no match", nil, idempotencyRules{idempotent: patterns("Run")}, "RunInstances", false},
		{"pattern with the service", nil, idempotencyRules{idempotent: patterns("cvm:Run*")}, "RunInstances", true},
		{"pattern with another service", nil, idempotencyRules{idempotent: patterns("cbs:Run*")}, "RunInstances", false},
		{"pattern with any service", nil, idempotencyRules{idempotent: patterns("*:Run*")}, "RunInstances", true},
		{"non-idempotent beats the name", nil, idempotencyRules{nonIdempotent: patterns("Describe*")}, "DescribeInstances", false},
		{"non-idempotent beats idempotent", nil, idempotencyRules{idempotent: patterns("*"), nonIdempotent: patterns("cvm:*")}, "RunInstances", false},
		{"a broken pattern matches nothing", nil, idempotencyRules{idempotent: patterns("[")}, "RunInstances", false},
		{"patterns need an action", nil, idempotencyRules{idempotent: patterns("*")}, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := tc3JSON(t, row.action, `{}`)
			ctx := req.Context()
			for _, idempotent := range row.context {
				ctx = ContextWithIdempotent(ctx, idempotent)
			}
			req = req.WithContext(ctx)
			assert.Equal(t, row.want, row.rules.mayRunTwice(req, Target{Service: "cvm", Action: row.action}, req.GetBody))
		})
	}
	req := tc3JSON(t, "RunInstances", `{"ClientToken":"t-1"}`)
	rules := idempotencyRules{nonIdempotent: patterns("Run*")}
	assert.False(t, rules.mayRunTwice(req, targetOf(req), req.GetBody), "a pattern beats a token")
}

func TestMayRunTwice_body(t *testing.T) {
	write := Target{Service: "cvm", Action: "RunInstances"}
	token := `{"ClientToken":"t-1"}`
	decide := func(req *http.Request, target Target, body io.Reader, err error) (decided bool, asked int, closed *tokenBody) {
		closed = &tokenBody{Reader: body}
		decided = idempotencyRules{}.mayRunTwice(req, target, func() (io.ReadCloser, error) {
			asked++
			return closed, err
		})
		return decided, asked, closed
	}

	decided, asked, closed := decide(tc3JSON(t, "RunInstances", token), write, strings.NewReader(token), nil)
	assert.True(t, decided)
	assert.Equal(t, 1, asked)
	assert.Equal(t, 1, closed.closes, "the reader is closed")

	_, asked, _ = decide(tc3JSON(t, "DescribeInstances", token), Target{Service: "cvm", Action: "DescribeInstances"}, nil, nil)
	assert.Zero(t, asked, "a read is known by its name")

	_, asked, _ = decide(tc3Request(t, http.MethodPost, "UploadFile", "application/octet-stream", token), write, nil, nil)
	assert.Zero(t, asked, "only JSON and forms are read")

	large := tc3JSON(t, "RunInstances", token)
	large.ContentLength = maxTokenBody + 1
	_, asked, _ = decide(large, write, nil, nil)
	assert.Zero(t, asked, "too long by its length")

	decided, _, _ = decide(tc3JSON(t, "RunInstances", token), write, strings.NewReader(token), errors.New("lost"))
	assert.False(t, decided, "no body to be had")

	decided, _, _ = decide(tc3JSON(t, "RunInstances", token), write, io.MultiReader(strings.NewReader(token), brokenOff{}), nil)
	assert.False(t, decided, "a body that breaks off")

	padding := strings.Repeat(" ", maxTokenBody-len(token))
	decided, _, _ = decide(tc3JSON(t, "RunInstances", token), write, strings.NewReader(padding+token), nil)
	assert.True(t, decided, "as long as it may be")
	decided, _, closed = decide(tc3JSON(t, "RunInstances", token), write, io.MultiReader(strings.NewReader(padding+token+" "), endlessBody{}), nil)
	assert.False(t, decided, "longer, whatever its length says")
	assert.Equal(t, 1, closed.closes)

	assert.False(t, idempotencyRules{}.mayRunTwice(tc3JSON(t, "RunInstances", token), write, nil))
	assert.False(t, idempotencyRules{}.mayRunTwice(tc3JSON(t, "RunInstances", token), write, func() (io.ReadCloser, error) { return nil, nil }))
}

func TestIdempotent_leavesTheBodyAlone(t *testing.T) {
	req := tc3JSON(t, "RunInstances", "")
	own := &tokenBody{Reader: strings.NewReader(`{"ClientToken":"t-1"}`)}
	req.Body = own
	assert.False(t, Idempotent(req), "without GetBody a body is not looked at")
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(`{"ClientToken":"t-1"}`)), nil }
	assert.True(t, Idempotent(req))
	assert.Zero(t, own.closes)
	left, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	assert.Equal(t, `{"ClientToken":"t-1"}`, string(left))
}

func TestIdempotentFromContext(t *testing.T) {
	_, ok := idempotentFromContext(t.Context())
	assert.False(t, ok)
	for _, want := range []bool{false, true} {
		value, ok := idempotentFromContext(ContextWithIdempotent(context.Background(), want))
		assert.True(t, ok)
		assert.Equal(t, want, value)
	}
}

func TestIsReadAction(t *testing.T) {
	for _, row := range []struct {
		service, action string
		want            bool
	}{
		{"cvm", "DescribeInstances", true},
		{"cam", "ListUsers", true},
		{"cam", "GetUser", true},
		{"cls", "SearchLog", true},
		{"cvm", "InquiryPriceRunInstances", true},
		{"cbs", "InquirePriceCreateDisks", true},
		{"cloudaudit", "LookUpEvents", true},
		{"dnspod", "QueryRecord", true},
		{"x", "Get3DModel", true},
		{"x", "Getaway", false},
		{"x", "Listen", false},
		{"x", "Describe_Instances", false},
		{"x", "Describe", false},
		{"tbaas", "Query", false},
		{"x", "describeInstances", false},
		{"x", "RunInstances", false},
		{"x", "CheckDomain", false},
		{"x", "", false},
		{"sts", "GetFederationToken", false},
		{"cam", "GetFederationToken", true}, // another service's exception
		{"", "GetFederationToken", false},   // it may be sts
		{"", "DescribeInstances", true},
		{"tcss", "DescribeReverseShellEventsExport", false},
		{"vpc", "DescribeAddressTemplateInstances", false},
	} {
		t.Run(row.service+":"+row.action, func(t *testing.T) { assert.Equal(t, row.want, isReadAction(row.service, row.action)) })
	}
}

func TestReadExceptions(t *testing.T) {
	assertSorted(t, readExceptions)
	assertSorted(t, readVerbs)
	documented := make(map[string]bool)
	for _, row := range readTestdata(t, "readonly_exceptions.csv") {
		if hasReadVerb(row["action"]) {
			documented[row["service"]+":"+row["action"]] = true
		}
	}
	assert.Len(t, readExceptions, len(documented))
	for _, exception := range readExceptions {
		assert.True(t, documented[exception], exception)
	}
}

// tokenBody is a body that counts how often it is closed.
type tokenBody struct {
	io.Reader
	closes int
}

func (c *tokenBody) Close() error { c.closes++; return nil }

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type endlessBody struct{}

func (endlessBody) Read(p []byte) (int, error) { return len(p), nil }
