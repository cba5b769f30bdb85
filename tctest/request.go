package tctest

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Request is one call as the service sees it: read, and taken apart. A handler must not change it.
type Request struct {
	// Method is GET or POST, Host the host that was asked for.
	Method, Host string
	// Service is the one that the signature names, or else the first label of Host. Empty if neither says.
	Service string
	// Version, Action and Region come from the X-TC- headers or, with signature v1, from the query or form.
	Version, Action, Region string
	// SecretID is the public half of the caller's key. Empty if the request is not signed.
	SecretID string
	// Header has the headers as they arrived.
	Header http.Header
	// Form has the parameters of a query, a form or the plain fields of a multipart body. Nil for JSON.
	Form url.Values
	// Body is the whole body.
	Body []byte
	// RequestID is what the answer will bear.
	RequestID string

	auth  authorization
	query string // as it was sent; empty for a POST
	ctx   context.Context
}

// Context returns the context of the wire request. It is done when the caller gave up.
func (r *Request) Context() context.Context { return r.ctx }

// Decode stores the parameters of a JSON body in v, as json.Unmarshal does. An empty body is an empty object.
func (r *Request) Decode(v any) error {
	if len(r.Body) == 0 {
		return json.Unmarshal([]byte("{}"), v)
	}
	return json.Unmarshal(r.Body, v)
}

// Param returns a top-level parameter, wherever it was sent: strings as they are, other JSON values as JSON. It is empty if
// there is no such parameter.
func (r *Request) Param(name string) string {
	if r.Form.Has(name) {
		return r.Form.Get(name)
	}
	if !bytes.Contains(r.Body, []byte(name)) {
		return ""
	}
	var params map[string]json.RawMessage
	if json.Unmarshal(r.Body, &params) != nil {
		return ""
	}
	var s string
	if json.Unmarshal(params[name], &s) == nil {
		return s
	}
	return string(params[name])
}

// ClientToken returns the parameter of that name, which makes a call repeatable.
func (r *Request) ClientToken() string { return r.Param("ClientToken") }

// readTarget fills in what the request line and the headers say of the target. It returns an error if the query is no query.
func (r *Request) readTarget(h *http.Request) error {
	r.Method, r.Host = h.Method, h.Host
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Host == "" {
		r.Host = h.URL.Host
	}
	r.Header, r.query = h.Header, query(h)
	r.Action = r.Header.Get("X-Tc-Action")
	r.Version = r.Header.Get("X-Tc-Version")
	r.Region = r.Header.Get("X-Tc-Region")
	r.auth, _ = parseAuthorization(r.Header.Get("Authorization"))
	r.SecretID, r.Service = r.auth.secretID, r.auth.service
	if r.Service == "" {
		r.Service = firstLabel(r.Host)
	}
	if h.URL.RawQuery == "" {
		return nil
	}
	form, err := url.ParseQuery(h.URL.RawQuery)
	r.Form = form
	r.fromForm()
	return err
}

// fromForm fills in what the headers left open; this is where signature v1 puts it.
func (r *Request) fromForm() {
	for name, field := range map[string]*string{
		"Action": &r.Action, "Version": &r.Version, "Region": &r.Region, "SecretId": &r.SecretID,
	} {
		if *field == "" {
			*field = r.Form.Get(name)
		}
	}
}

// readForm takes the parameters out of a form body.
func (r *Request) readForm() error {
	if len(r.Body) == 0 || r.Method != http.MethodPost {
		return nil
	}
	contentType := r.Header.Get("Content-Type")
	if strings.HasPrefix(contentType, "application/json") {
		return nil
	}
	kind, params, _ := mime.ParseMediaType(contentType)
	var form url.Values
	var err error
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err = url.ParseQuery(string(r.Body))
	case "multipart/form-data":
		form, err = readMultipart(r.Body, params["boundary"])
	default:
		return nil
	}
	if r.Form == nil {
		r.Form = form
	} else {
		for name, values := range form {
			r.Form[name] = append(r.Form[name], values...)
		}
	}
	r.fromForm()
	return err
}

// isForm says that the action may be hidden in the body.
func (r *Request) isForm() bool {
	return r.Action == "" && r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

func readMultipart(body []byte, boundary string) (url.Values, error) {
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(int64(len(body)))
	if err != nil {
		return nil, err
	}
	return form.Value, form.RemoveAll()
}

// firstLabel returns the service that a host name such as cvm.ap-guangzhou.tencentcloudapi.com stands for.
func firstLabel(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	label, rest, ok := strings.Cut(host, ".")
	if !ok || rest == "" || net.ParseIP(host) != nil {
		return ""
	}
	return label
}
