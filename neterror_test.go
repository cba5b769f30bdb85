package tencenthttp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClassify_Errors(t *testing.T) {
	fatal := Verdict{Class: ClassFatal}
	unreachable := Verdict{Class: ClassRetryable, Fault: true}
	lost := Verdict{Class: ClassIdempotent, Fault: true}
	for _, tt := range []struct {
		name string
		err  error
		want Verdict
	}{
		{"anything", errLost, lost},
		{"EOF", io.EOF, lost},
		{"attempt timeout", &attemptTimeoutError{time.Second}, lost},
		{"cut off", &cutOffError{io.ErrUnexpectedEOF}, lost},
		{"read", &net.OpError{Op: "read", Err: errLost}, lost},
		{"write", &net.OpError{Op: "write", Err: errLost}, lost},
		{"never sent", &unsentError{errLost}, unreachable},
		{"dial", &net.OpError{Op: "dial", Err: errLost}, unreachable},
		{"dial, wrapped", fmt.Errorf("a wrapper: %w", &net.OpError{Op: "dial", Err: errLost}), unreachable},
		{"to the proxy", &net.OpError{Op: "proxyconnect", Err: errLost}, unreachable},
		{"temporary DNS", &net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}}, unreachable},
		{"DNS timeout", &net.DNSError{IsTimeout: true}, unreachable},
		{"refused stream", http2StreamError{Code: http2RefusedStream}, unreachable},
		{"another end of a stream", http2StreamError{Code: 2}, lost},
		{"canceled", context.Canceled, fatal},
		{"a deadline that is not the caller's", context.DeadlineExceeded, lost},
		{"C34: breaker open below", fmt.Errorf("below: %w", ErrBreakerOpen), fatal},
		{"C34: rate limited below", &CallError{Err: ErrRateLimited}, fatal},
		{"C44: no such host", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, fatal},
		{"C44: no such host, never sent", &unsentError{&net.DNSError{IsNotFound: true}}, fatal},
		{"C44: unknown authority", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, fatal},
		{"C44: unknown authority, bare", x509.UnknownAuthorityError{}, fatal},
		{"C44: another host's certificate", x509.HostnameError{Certificate: &x509.Certificate{}}, fatal},
		{"C44: expired", x509.CertificateInvalidError{Reason: x509.Expired}, fatal},
		{"C44: no roots", x509.SystemRootsError{}, fatal},
		{"C44: insecure algorithm", x509.InsecureAlgorithmError(1), fatal},
		{"C44: no TLS", tls.RecordHeaderError{}, fatal},
		{"C44: an alert", &unsentError{tls.AlertError(40)}, fatal},
		{"C44: encrypted hello rejected", &tls.ECHRejectionError{}, fatal},
		{"C44: HTTP to an HTTPS client", http.ErrSchemeMismatch, fatal},
		{"C44: bad address", &net.AddrError{}, fatal},
		{"C44: unparsable address", &net.ParseError{}, fatal},
		{"C44: unknown network", net.UnknownNetworkError("carrier pigeon"), fatal},
		{"C44: invalid address", net.InvalidAddrError("x"), fatal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Classify(Outcome{Request: newRequest(t, "RunInstances", `{}`), Err: tt.err}))
			assert.Equal(t, tt.want, Classify(Outcome{Err: tt.err}), "a request is not needed")
		})
	}
}

func TestClassify_TheCallerGaveUp(t *testing.T) {
	req := newRequest(t, "DescribeInstances", "")
	ctx, stop := context.WithCancel(t.Context())
	cancel := make(chan struct{})
	byContext, byCancel := req.WithContext(ctx), req.Clone(t.Context())
	byCancel.Cancel = cancel
	for _, r := range []*http.Request{byContext, byCancel} {
		assert.Equal(t, ClassIdempotent, Classify(Outcome{Request: r, Err: errLost}).Class)
	}
	stop()
	close(cancel)
	for _, r := range []*http.Request{byContext, byCancel} {
		assert.Equal(t, Verdict{Class: ClassFatal}, Classify(Outcome{Request: r, Err: errLost}))
		assert.Equal(t, Verdict{Class: ClassFatal}, Classify(Outcome{Request: r, Err: &net.OpError{Op: "dial", Err: errLost}}))
		assert.Equal(t, Verdict{}, Classify(Outcome{Request: r, Response: answer(200, "")}), "an answer is an answer")
	}
}

func TestIsMalformed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		want   bool
	}{
		{"as it should be", func(*http.Request) {}, false},
		{"no method", func(r *http.Request) { r.Method = "" }, false},
		{"any bytes above ASCII", func(r *http.Request) { r.Header.Set("X", "\x80\xff 中文\t") }, false},
		{"http", func(r *http.Request) { r.URL.Scheme = "http" }, false},
		{"no URL", func(r *http.Request) { r.URL = nil }, true},
		{"no header", func(r *http.Request) { r.Header = nil }, true},
		{"no host", func(r *http.Request) { r.URL.Host = "" }, true},
		{"no scheme", func(r *http.Request) { r.URL.Scheme = "" }, true},
		{"another scheme", func(r *http.Request) { r.URL.Scheme = "gopher" }, true},
		{"bad method", func(r *http.Request) { r.Method = "PO ST" }, true},
		{"empty header name", func(r *http.Request) { r.Header[""] = []string{"x"} }, true},
		{"bad header name", func(r *http.Request) { r.Header["X Y"] = []string{"x"} }, true},
		{"header name above ASCII", func(r *http.Request) { r.Header["é"] = []string{"x"} }, true},
		{"line break in a header", func(r *http.Request) { r.Header["X"] = []string{"fine", "x\r\nY: z"} }, true},
		{"DEL in a header", func(r *http.Request) { r.Header.Set("X", "\x7f") }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := newRequest(t, "RunInstances", "")
			tt.change(req)
			assert.Equal(t, tt.want, isMalformed(req))
			if req.URL != nil && tt.want { // net/http thinks so too
				_, err := http.DefaultTransport.RoundTrip(req)
				require.Error(t, err)
				assert.Equal(t, ClassFatal, Classify(Outcome{Request: req, Err: err}).Class, err)
			}
		})
	}
}

// hostile accepts connections and does with each what serve says.
func hostile(t *testing.T, serve func(net.Conn)) (address string, accepted *atomic.Int32) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	accepted = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			go serve(conn)
		}
	}()
	return listener.Addr().String(), accepted
}

// readRequest reads a request to its end.
func readRequest(conn net.Conn) {
	if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, req.Body)
	}
}

// quiet is the log of servers that are expected to fail.
var quiet = log.New(io.Discard, "", 0)

// Real errors of net/http, and how many attempts they lead to. Not idempotent unless it was never sent: RunInstances.
func TestTransport_RealNetworkErrors(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(success)) }))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(success)) }))
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	defer secure.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	cut, _ := hostile(t, func(conn net.Conn) { readRequest(conn); conn.Close() })
	reset, _ := hostile(t, func(conn net.Conn) { readRequest(conn); conn.(*net.TCPConn).SetLinger(0); conn.Close() })
	silent, _ := hostile(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	short, _ := hostile(t, func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"Response\":")
		conn.Close()
	})
	garbage, _ := hostile(t, func(conn net.Conn) { readRequest(conn); io.WriteString(conn, "SMTP ready\r\n"); conn.Close() })
	resolver := func(dns net.DNSError) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &dns}
		}
	}
	anyCertificate := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test
	for _, tt := range []struct {
		name     string
		url      string
		base     *http.Transport
		header   string
		action   string
		attempts int
		reason   Reason
	}{
		{"refused dial", closed.URL, &http.Transport{}, "", "RunInstances", 3, ReasonAttemptsUsedUp},
		{"C44: no such host", "http://nowhere.example", &http.Transport{DialContext: resolver(net.DNSError{Err: "no such host", IsNotFound: true})}, "", "DescribeInstances", 1, ReasonFatal},
		{"temporary DNS failure", "http://nowhere.example", &http.Transport{DialContext: resolver(net.DNSError{Err: "try again", IsTemporary: true})}, "", "RunInstances", 3, ReasonAttemptsUsedUp},
		{"C44: unknown authority", secure.URL, &http.Transport{}, "", "DescribeInstances", 1, ReasonFatal},
		{"C44: another host's certificate", strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots(secure)}}, "", "DescribeInstances", 1, ReasonFatal},
		{"C44: plain HTTP on an https port", "https://" + plain.Listener.Addr().String(), &http.Transport{TLSClientConfig: anyCertificate}, "", "DescribeInstances", 1, ReasonFatal},
		{"TLS handshake timeout", "https://" + silent, &http.Transport{TLSHandshakeTimeout: 20 * time.Millisecond, TLSClientConfig: anyCertificate}, "", "RunInstances", 3, ReasonAttemptsUsedUp},
		{"C44: malformed header", plain.URL, &http.Transport{}, "a\nb", "DescribeInstances", 1, ReasonFatal},
		{"C44: unsupported scheme", "gopher://" + plain.Listener.Addr().String(), &http.Transport{}, "", "DescribeInstances", 1, ReasonFatal},
		{"cut after the request was written", "http://" + cut, &http.Transport{}, "", "RunInstances", 1, ReasonNotIdempotent},
		{"cut after the request was written, idempotent", "http://" + cut, &http.Transport{}, "", "DescribeInstances", 3, ReasonAttemptsUsedUp},
		{"reset after the request was written", "http://" + reset, &http.Transport{}, "", "RunInstances", 1, ReasonNotIdempotent},
		{"reset after the request was written, idempotent", "http://" + reset, &http.Transport{}, "", "DescribeInstances", 3, ReasonAttemptsUsedUp},
		{"no answer in time", "http://" + silent, &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}, "", "RunInstances", 1, ReasonNotIdempotent},
		{"an answer cut off", "http://" + short, &http.Transport{}, "", "RunInstances", 1, ReasonNotIdempotent},
		{"an answer cut off, idempotent", "http://" + short, &http.Transport{}, "", "DescribeInstances", 3, ReasonAttemptsUsedUp},
		{"an answer that is no HTTP", "http://" + garbage, &http.Transport{}, "", "RunInstances", 1, ReasonNotIdempotent},
	} {
		for _, body := range []string{"{}", ""} { // where there is no body, the trace says whether the request was sent
			name := tt.name
			if body == "" {
				name += ", without a body"
			}
			t.Run(name, func(t *testing.T) {
				defer tt.base.CloseIdleConnections()
				req := newRequest(t, tt.action, body)
				target, err := url.Parse(tt.url)
				require.NoError(t, err)
				req.URL = target
				if tt.header != "" {
					req.Header["X-Bad"] = []string{tt.header}
				}
				resp, err := newTransport(t, tt.base, WithMaxAttempts(3)).RoundTrip(req)
				require.Nil(t, resp)
				failure, ok := errors.AsType[*CallError](err)
				require.True(t, ok)
				assert.Equal(t, tt.reason, failure.Reason, err)
				assert.Equal(t, tt.attempts, failure.Attempts, err)
			})
		}
	}
}

// roots are the certificates that make a client trust a server of httptest.
func roots(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}
