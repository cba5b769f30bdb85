package tencenthttp

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// Target says which action is called, where and by whom: what a quota of the API is counted by. The zero Target is a call that
// says nothing of itself. It is comparable and may be a map's key.
type Target struct {
	// Service is the product's short name, such as cvm: from the signature's credential scope, else the host's first label.
	Service string
	// Host is the request's host, with the port if the URL has one.
	Host string
	// Region is X-TC-Region, or the parameter Region with signature v1; empty for services without regions.
	Region string
	// Action is X-TC-Action, or the parameter Action with signature v1; empty where the request is no call of the API.
	Action string
	// Account stands for the SecretId without revealing it: the first 8 bytes of its SHA-256, in hex. Empty for an unsigned request.
	Account string
}

// String names the target for people, such as "cvm DescribeInstances in ap-guangzhou", without host or account.
func (t Target) String() string {
	name := t.Host
	if t.Action != "" {
		name = strings.TrimSpace(t.Service + " " + t.Action)
	}
	if t.Region != "" {
		name += " in " + t.Region
	}
	return name
}

// LogValue implements slog.LogValuer.
func (t Target) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("service", t.Service), slog.String("host", t.Host),
		slog.String("region", t.Region), slog.String("action", t.Action),
	)
}

// identity is a Target before its account is hashed: parts of the request's own strings, so that finding a known target allocates nothing.
type identity struct{ service, host, region, action, secretID string }

// target makes the public form. Its strings are copies: a Credential is part of the whole Authorization header, which must not be kept alive.
func (id identity) target() Target {
	return Target{
		Service: id.service, Host: id.host, Region: id.region, Action: id.action,
		Account: fingerprint(id.secretID),
	}
}

func (id identity) clone() identity {
	return identity{
		strings.Clone(id.service), strings.Clone(id.host), strings.Clone(id.region),
		strings.Clone(id.action), strings.Clone(id.secretID),
	}
}

func fingerprint(secretID string) string {
	if secretID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secretID))
	return hex.EncodeToString(sum[:8])
}

func targetOf(req *http.Request) Target { return identify(req).target() }

// identify finds who is called. Signature v3 says it in headers, signature v1 in the parameters of the query or of a form.
func identify(req *http.Request) identity {
	id := identity{host: hostOf(req)}
	id.action = headerValue(req.Header, "X-Tc-Action")
	id.region = headerValue(req.Header, "X-Tc-Region")
	if found, ok := parseAuthorization(headerValue(req.Header, "Authorization")); ok {
		id.secretID, id.service = found.secretID, found.service
	}
	if id.action == "" {
		if params := signedParams(req); params.Get("Action") != "" {
			id.action, id.region, id.secretID = params.Get("Action"), params.Get("Region"), params.Get("SecretId")
		}
	}
	if id.action == "" {
		id.region, id.secretID = "", "" // no call of the API: all that counts is the host
	}
	if id.service == "" {
		id.service = firstLabel(id.host)
	}
	return id
}

func hostOf(req *http.Request) string {
	if req.URL != nil && req.URL.Host != "" {
		return req.URL.Host
	}
	return req.Host
}

// firstLabel returns the service that a host such as cvm.ap-guangzhou.tencentcloudapi.com names; an address and a bare name have none.
func firstLabel(host string) string {
	label, rest, found := strings.Cut(host, ".")
	if !found || rest == "" || strings.Trim(label, "0123456789") == "" || strings.ContainsAny(label, "[:") {
		return ""
	}
	return label
}

// maxForm is the size of a request with signature v1 that the API accepts.
const maxForm = 1 << 20

// signedParams returns the parameters of a call with signature v1, or nil if req is none. A form's body is read only through
// GetBody: the request's own body is for the wire.
func signedParams(req *http.Request) url.Values {
	if req.URL != nil && strings.Contains(req.URL.RawQuery, "Action=") {
		if params := req.URL.Query(); params.Get("Action") != "" { // and not that of another name's end
			return params
		}
	}
	if req.GetBody == nil || !isForm(req) || req.ContentLength > maxForm {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer body.Close()
	form, err := io.ReadAll(io.LimitReader(body, maxForm))
	if err != nil {
		return nil
	}
	params, _ := url.ParseQuery(string(form)) // what can be read of a broken form still counts
	return params
}

func isForm(req *http.Request) bool {
	media, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}

// headerValue returns the first value of a header. The key is in its canonical form, X-Tc-Action. Headers set in a map by hand
// may be written as the API's documentation writes them, X-TC-Action: that is found as well.
func headerValue(header http.Header, key string) string {
	if values := header[key]; len(values) > 0 {
		return values[0]
	}
	if rest, ok := strings.CutPrefix(key, "X-Tc-"); ok && len(header) > 0 {
		if values := header["X-TC-"+rest]; len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
