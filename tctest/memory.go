package tctest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// RoundTripper returns the API as a transport in memory. It behaves as http.Transport would with a fresh connection for each
// request: it reads the request's body and closes it exactly once, before it returns; it obeys the request's context and Cancel,
// also while the answer's body is read; it calls the connection and request hooks of net/http/httptrace; its errors are of the
// same types. All of it happens in the goroutine of the caller, so that it works in a testing/synctest bubble.
func (a *API) RoundTripper() http.RoundTripper { return memory{a} }

type memory struct{ api *API }

// RoundTrip implements http.RoundTripper.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	body := &sentBody{r: r}
	defer body.close()
	if err := checkRequest(r); err != nil {
		return nil, err
	}
	x := &exchange{api: m.api, caller: caller{r.Context(), r.Cancel}, http: r}
	if err := x.gone(); err != nil {
		return nil, err
	}
	t := newTrace(r)
	x.readBody = func(limit int64) ([]byte, error) {
		t.connected()
		b, err := body.readAll(x.caller, limit)
		t.wrote(err)
		return b, err
	}
	x.gunzips = r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == "" && r.Method != http.MethodHead
	rep, err := x.run()
	if err != nil {
		return nil, err
	}
	switch rep.cut {
	case CutDial:
		err := dialRefused(r)
		t.refused(err)
		return nil, err
	case CutBeforeRead:
		t.connected()
		t.wrote(errReset)
		return nil, errReset
	case CutBeforeAnswer:
		return nil, io.EOF
	}
	t.connected() // an early answer read nothing
	t.answered()
	return x.response(rep), nil
}

// response makes the response of a reply.
func (x *exchange) response(rep *reply) *http.Response {
	resp := &http.Response{
		Status: statusLine(rep.status), StatusCode: rep.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rep.header, ContentLength: rep.length, Request: x.http,
	}
	if rep.length < 0 {
		resp.TransferEncoding = []string{"chunked"}
	}
	if len(rep.body) == 0 && rep.cut == CutNone {
		resp.Body = http.NoBody
		return resp
	}
	body := newReceivedBody(x.caller, rep)
	resp.Body = body
	if x.gunzips && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Body = &gunzipped{receivedBody: body}
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		resp.Uncompressed = true
	}
	return resp
}

func statusLine(status int) string {
	if status == http.StatusOK {
		return "200 OK"
	}
	return strconv.Itoa(status) + " " + http.StatusText(status)
}

// checkRequest refuses what net/http refuses.
func checkRequest(r *http.Request) error {
	switch {
	case r.URL == nil:
		return errors.New("http: nil Request.URL")
	case r.Header == nil:
		return errors.New("http: nil Request.Header")
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("unsupported protocol scheme %q", r.URL.Scheme)
	case strings.ContainsAny(r.Method, " \t\r\n\x00/:;"):
		return fmt.Errorf("net/http: invalid method %q", r.Method)
	case r.URL.Host == "":
		return errors.New("http: no Host in request URL")
	}
	for name, values := range r.Header {
		if name == "" || breaksLine(name) || strings.ContainsRune(name, ':') {
			return fmt.Errorf("net/http: invalid header field name %q", name)
		}
		if slices.ContainsFunc(values, breaksLine) {
			return fmt.Errorf("net/http: invalid header field value for %q", name)
		}
	}
	return nil
}

// breaksLine says that s has characters that no header may have.
func breaksLine(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// memoryAddr is the address of a host that exists in memory only.
type memoryAddr string

func (memoryAddr) Network() string  { return "tcp" }
func (a memoryAddr) String() string { return string(a) }

// errReset is a connection that the service reset.
var errReset error = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

// dialRefused is a connection that the service refused.
func dialRefused(r *http.Request) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: memoryAddr(hostPort(r)), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func hostPort(r *http.Request) string {
	port := r.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
	}
	return net.JoinHostPort(r.URL.Hostname(), port)
}
