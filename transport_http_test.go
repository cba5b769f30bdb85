package tencenthttp

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// service is a real HTTP/1.1 server.
type service struct {
	*httptest.Server
	connections atomic.Int32
	requests    atomic.Int32
}

// serve starts a service that hands handler the number of each request, from 1.
func serve(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, nth int)) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(w, r, int(s.requests.Add(1)))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// client returns a client of the service with a Transport over net/http's.
func (s *service) client(t *testing.T, opts ...Option) *http.Client {
	t.Helper()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ExpectContinueTimeout = time.Minute
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: newTransport(t, base, opts...)}
}

// request returns a signed request to the service.
func (s *service) request(t *testing.T, action string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/", body)
	require.NoError(t, err)
	sign(req, action)
	return req
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func TestTransport_ResendsALargeUploadThatWasAnsweredEarly(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB: more than the sockets hold
	rows := []struct {
		name   string
		body   func() io.Reader
		resent bool
	}{
		{"C3 in memory", func() io.Reader { return bytes.NewReader(content) }, true},
		{"C3 without GetBody", func() io.Reader { return struct{ io.Reader }{bytes.NewReader(content)} }, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var got []byte
			answered := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
				if nth == 1 { // the answer comes, while the body is still on its way
					w.Header().Set("Content-Length", strconv.Itoa(len(apiError("InternalError"))))
					writeJSON(w, 200, apiError("InternalError"))
					w.(http.Flusher).Flush()
					<-answered
					return
				}
				got, _ = io.ReadAll(r.Body)
				writeJSON(w, 200, success)
			})
			resp, err := s.client(t).Do(s.request(t, "RunInstances", row.body()))
			close(answered)
			require.NoError(t, err)
			text := readAll(t, resp)
			if text != success { // a body that is still being read cannot be had again
				assert.False(t, row.resent)
				assert.Equal(t, apiError("InternalError"), text)
				return
			}
			assert.True(t, bytes.Equal(content, got), "the whole body arrives")
		})
	}
}

func TestTransport_ExpectContinue(t *testing.T) {
	const content = `{"InstanceCount":1}`
	for _, getBody := range []bool{true, false} {
		t.Run(map[bool]string{true: "C7 with GetBody", false: "C7 without GetBody"}[getBody], func(t *testing.T) {
			var got []string
			s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
				if nth == 1 {
					writeJSON(w, 503, "") // a final answer, without 100 Continue
					return
				}
				data, _ := io.ReadAll(r.Body)
				got = append(got, string(data))
				if nth == 2 {
					writeJSON(w, 200, apiError("InternalError"))
					return
				}
				writeJSON(w, 200, success)
			})
			req := s.request(t, "RunInstances", strings.NewReader(content))
			req.Header.Set("Expect", "100-continue")
			if !getBody {
				req = withoutGetBody(req)
			}
			resp, err := s.client(t, WithIdempotentActions("*")).Do(req)
			require.NoError(t, err)
			assert.Equal(t, success, readAll(t, resp))
			assert.Equal(t, []string{content, content}, got)
		})
	}
}

// cutServer answers all requests but those that follow the first one: their connections it closes without an answer, cuts times.
func cutServer(t *testing.T, cuts int32) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	requests = &atomic.Int32{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					io.Copy(io.Discard, req.Body)
					if nth := requests.Add(1); nth > 1 && nth <= 1+cuts {
						return
					}
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func TestTransport_NetHTTPResendsByItself(t *testing.T) {
	rows := []struct {
		name     string
		key      string
		cuts     int32
		requests int32 // the server's, for the second call
		attempts uint64
		fails    bool
	}{
		{"C8 key, stale connection", "constant", 1, 2, 1, false},
		{"C8 key, the resent request is lost too", "constant", 2, 2, 1, true},
		{"C8 no key", "", 1, 1, 1, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			url, requests := cutServer(t, row.cuts)
			base := http.DefaultTransport.(*http.Transport).Clone()
			defer base.CloseIdleConnections()
			rt := newTransport(t, base, WithNonIdempotentActions("*"))
			send := func() error {
				req := newRequest(t, "RunInstances", `{"InstanceCount":1}`)
				req.URL.Scheme, req.URL.Host, _ = strings.Cut(url, "://")
				req.Host = req.URL.Host
				if row.key != "" {
					req.Header.Set("X-Idempotency-Key", row.key)
				}
				resp, err := rt.RoundTrip(req)
				if err == nil {
					readAll(t, resp)
				}
				return err
			}
			require.NoError(t, send())
			err := send()
			assert.Equal(t, row.fails, err != nil, "%v", err)
			assert.Equal(t, row.requests, requests.Load()-1)
			stats := rt.Stats()
			require.Len(t, stats, 1)
			assert.Equal(t, row.attempts, stats[0].Attempts-1)
		})
	}
}

func TestTransport_RedirectsAndCookies(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run("C12 "+http.StatusText(status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				switch r.URL.Path {
				case "/":
					http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"})
					http.Redirect(w, r, "/next", status)
				case "/next":
					cookie, err := r.Cookie("session")
					if err != nil {
						writeJSON(w, 400, "no cookie")
						return
					}
					data, _ := io.ReadAll(r.Body)
					writeJSON(w, 200, r.Method+" "+cookie.Value+" "+string(data))
				}
			})
			client := s.client(t, WithAttemptTimeout(time.Minute))
			client.Jar, _ = cookiejar.New(nil)
			resp, err := client.Do(s.request(t, "DescribeRegions", strings.NewReader(`{}`)))
			require.NoError(t, err)
			want := "GET 1 "
			if status >= 307 {
				want = "POST 1 {}"
			}
			assert.Equal(t, want, readAll(t, resp))
			assert.Equal(t, "/next", resp.Request.URL.Path)
			assert.EqualValues(t, 2, s.requests.Load())

			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			resp, err = client.Do(s.request(t, "DescribeRegions", strings.NewReader(`{}`)))
			require.NoError(t, err)
			readAll(t, resp)
			assert.Equal(t, status, resp.StatusCode)
			location, err := resp.Location()
			require.NoError(t, err)
			assert.Equal(t, s.URL+"/next", location.String())
		})
	}
	t.Run("C12 Response.Request is the base's", func(t *testing.T) {
		other := newRequest(t, "Other", "")
		answered := answer(200, success)
		answered.Request = other
		resp, err := newTransport(t, scripted(give(answered))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Same(t, other, resp.Request)
	})
}

func TestTransport_DrainsAnswersThatItThrowsAway(t *testing.T) {
	t.Run("C22 5 calls of 4 attempts use 1 connection", func(t *testing.T) {
		rows := map[string]func(w http.ResponseWriter){
			"envelope": func(w http.ResponseWriter) { writeJSON(w, 200, apiError("InternalError")) },
			"not looked at": func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(503)
				io.WriteString(w, strings.Repeat("x", 100<<10))
			},
			"longer than the look": func(w http.ResponseWriter) {
				writeJSON(w, 503, "{"+strings.Repeat(" ", 100<<10)+"}")
			},
		}
		for name, fault := range rows {
			t.Run(name, func(t *testing.T) {
				s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
					io.Copy(io.Discard, r.Body)
					if nth%4 == 0 {
						writeJSON(w, 200, success)
						return
					}
					fault(w)
				})
				client := s.client(t, WithIdempotentActions("*"), WithoutBreaker(), WithoutPacing())
				for range 5 {
					resp, err := client.Do(s.request(t, "RunInstances", strings.NewReader(`{}`)))
					require.NoError(t, err)
					assert.Equal(t, success, readAll(t, resp))
				}
				assert.EqualValues(t, 20, s.requests.Load())
				// One, unless the machine is so busy that draining takes longer than it may; sixteen if nothing were drained.
				assert.LessOrEqual(t, int(s.connections.Load()), 3)
			})
		}
	})
	t.Run("C22 a stalled body does not hold the retry up", func(t *testing.T) {
		release := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
			if nth > 1 {
				writeJSON(w, 200, success)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(503)
			w.(http.Flusher).Flush()
			<-release
		})
		defer close(release)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // only to end a failing test
		defer cancel()
		resp, err := s.client(t).Do(s.request(t, "DescribeRegions", strings.NewReader(`{}`)).WithContext(ctx))
		require.NoError(t, err)
		assert.Equal(t, success, readAll(t, resp))
	})
}

func TestTransport_RealUpgrade(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(conn, buffered)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := s.client(t, WithAttemptTimeout(time.Minute)).Do(req)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok, "C19")
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	back := make([]byte, 5)
	_, err = io.ReadFull(conn, back)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(back))
	require.NoError(t, conn.Close())
	assert.EqualValues(t, 1, s.requests.Load())
}

func TestTransport_ConnectionsThatWereNeverMade(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener.Close() // nobody listens there now
	for name, body := range map[string]string{"with a body": "{}", "without a body": ""} {
		t.Run(name, func(t *testing.T) {
			rt := newTransport(t, nil)
			req := newRequest(t, "RunInstances", body)
			req.URL.Scheme, req.URL.Host = "http", listener.Addr().String()
			_, err := rt.RoundTrip(req)
			var call *CallError
			require.ErrorAs(t, err, &call)
			assert.Equal(t, ReasonAttemptsUsedUp, call.Reason)
			assert.Equal(t, 4, call.Attempts)
		})
	}
}
