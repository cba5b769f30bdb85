package tencenthttp

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What follows of an HTTP/2 server is just enough to refuse and to go away at will (RFC 9113): net/http's own server does neither
// when told to.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway = 0, 1, 3, 4, 6, 7

	flagAck, flagEndStream, flagEndHeaders = 1, 1, 4

	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// successHeaders are ":status: 200" and "content-type: application/json" in HPACK (RFC 7541).
const successHeaders = "\x88\x0f\x10\x10application/json"

// moody is an HTTP/2 server. Each stream that comes is refused, or read to its end and then answered, unless its turn in goAway is
// true: then the connection goes away, with or without the stream in its account.
type moody struct {
	refuse         int  // how many streams
	goAway         int  // how many streams, after those
	unprocessed    bool // GOAWAY says that the stream was not processed
	mu             sync.Mutex
	streams, ran   int
	connections    int
	certificate    tls.Certificate
	handlersClosed sync.WaitGroup
}

func (s *moody) dial(_ context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	s.handlersClosed.Go(func() {
		conn := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{s.certificate}, NextProtos: []string{"h2"}})
		frames := make(chan []byte, 100) // net.Pipe has no buffer: whoever writes must not keep the other side from reading
		s.handlersClosed.Go(func() {
			defer server.Close()
			for frame := range frames {
				conn.Write(frame)
			}
		})
		defer close(frames)
		s.serve(conn, frames)
	})
	return tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}), nil //nolint:gosec // a test
}

func writeFrame(frames chan<- []byte, kind, flags byte, stream uint32, payload string) {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	frame = append(frame, flags)
	frame = binary.BigEndian.AppendUint32(frame, stream)
	frames <- append(frame, payload...)
}

func (s *moody) serve(conn io.Reader, frames chan<- []byte) {
	if _, err := io.ReadFull(conn, make([]byte, len(preface))); err != nil {
		return
	}
	writeFrame(frames, frameSettings, 0, 0, "")
	refused := map[uint32]bool{}
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(head[:]) >> 8
		kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
		payload := make([]byte, length)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return
		}
		switch {
		case kind == frameSettings && flags&flagAck == 0:
			writeFrame(frames, frameSettings, flagAck, 0, "")
		case kind == framePing && flags&flagAck == 0:
			writeFrame(frames, framePing, flagAck, 0, string(payload))
		case kind == frameHeaders && s.refuses():
			refused[stream] = true
			writeFrame(frames, frameReset, 0, stream, "\x00\x00\x00\x07")
		}
		if kind <= frameHeaders && flags&flagEndStream != 0 && !refused[stream] && !s.answer(frames, stream) {
			s.handlersClosed.Go(func() { io.Copy(io.Discard, conn) }) // until it is closed
			return
		}
	}
}

func (s *moody) refuses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams++
	return s.streams <= s.refuse
}

// answer returns false if the connection goes away instead.
func (s *moody) answer(frames chan<- []byte, stream uint32) bool {
	s.mu.Lock()
	away := s.streams <= s.refuse+s.goAway
	if !away || !s.unprocessed {
		s.ran++
	}
	s.mu.Unlock()
	if !away {
		writeFrame(frames, frameHeaders, flagEndHeaders, stream, successHeaders)
		writeFrame(frames, frameData, flagEndStream, stream, success)
		return true
	}
	last := "\x00\x00\x00\x00"
	if !s.unprocessed {
		last = string(binary.BigEndian.AppendUint32(nil, stream))
	}
	writeFrame(frames, frameGoAway, 0, 0, last+"\x00\x00\x00\x00")
	return false
}

func TestTransport_C33_RefusedStreamsAndGoAway(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	certificate := server.TLS.Certificates[0]
	server.Close()
	for _, tt := range []struct {
		name     string
		server   *moody
		action   string
		body     string
		attempts int // by us; net/http may have sent each more often
		ran      int
		reason   Reason
	}{
		{"answered", &moody{}, "RunInstances", "{}", 1, 1, ReasonSuccess},
		{"refused: net/http sends it again by itself", &moody{refuse: 1}, "RunInstances", "{}", 1, 1, ReasonSuccess},
		{"refused until net/http gives up: a refused stream is retried", &moody{refuse: 8}, "RunInstances", "{}", 2, 1, ReasonSuccess},
		{"the same without a body", &moody{refuse: 8}, "RunInstances", "", 2, 1, ReasonSuccess},
		{"refused for ever", &moody{refuse: 1000}, "RunInstances", "{}", 2, 0, ReasonAttemptsUsedUp},
		{"went away without having had it", &moody{goAway: 1, unprocessed: true}, "RunInstances", "{}", 1, 1, ReasonSuccess},
		{"went away with it: it may have run", &moody{goAway: 1}, "RunInstances", "{}", 1, 1, ReasonNotIdempotent},
		{"the same without a body", &moody{goAway: 1}, "RunInstances", "", 1, 1, ReasonNotIdempotent},
		{"went away with it, idempotent", &moody{goAway: 1}, "DescribeInstances", "{}", 2, 2, ReasonSuccess},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // for net/http waits a minute before it gives up
				tt.server.certificate = certificate
				base := &http.Transport{DialTLSContext: tt.server.dial, ForceAttemptHTTP2: true}
				var done DoneInfo
				rt := newTransport(t, base, WithMaxAttempts(2), WithMaxElapsedTime(0), withDone(&done))
				resp, err := rt.RoundTrip(newRequest(t, tt.action, tt.body))
				if err == nil {
					assert.Equal(t, 2, resp.ProtoMajor)
					assert.Equal(t, success, readAll(t, resp))
				}
				assert.Equal(t, tt.reason, done.Reason, "%v", err)
				assert.Equal(t, tt.reason == ReasonSuccess, err == nil)
				assert.Equal(t, tt.attempts, done.Attempts)
				assert.Equal(t, tt.ran, tt.server.ran, "how often the service ran it")
				base.CloseIdleConnections()
				tt.server.handlersClosed.Wait()
			})
		})
	}
}

// net/http's own server: its connections go away under load, and streams break off.
func TestTransport_C33_NoDuplicatesOverHTTP2(t *testing.T) {
	var mu sync.Mutex
	ran := map[string]int{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		mu.Lock()
		ran[string(body)]++
		mine := ran[string(body)]
		total := len(ran)
		mu.Unlock()
		switch {
		case req.Header.Get("X-TC-Action") == "BreakOff" || req.Header.Get("X-TC-Action") == "DescribeBreakOff" && mine == 1:
			panic(http.ErrAbortHandler)
		case total%100 == 50:
			w.Header().Set("Connection", "close") // net/http's server sends GOAWAY then
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, success)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()
	rt := newTransport(t, server.Client().Transport, WithoutBreaker(), WithoutRetryBudget(), WithoutPacing(), WithMaxElapsedTime(2*time.Minute))

	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			action := []string{"RunInstances", "BreakOff", "DescribeBreakOff"}[i%3]
			req := newRequest(t, action, action+strconv.Itoa(i))
			req.URL.Host = server.Listener.Addr().String()
			resp, err := rt.RoundTrip(req)
			if action == "BreakOff" {
				failure, ok := errors.AsType[*CallError](err)
				if assert.True(t, ok) {
					assert.Equal(t, 1, failure.Attempts)
					assert.Equal(t, ReasonNotIdempotent, failure.Reason)
				}
				return
			}
			if assert.NoError(t, err) {
				assert.Equal(t, 2, resp.ProtoMajor)
				assert.Equal(t, success, readAll(t, resp))
			}
		})
	}
	wg.Wait()
	require.Len(t, ran, 300)
	for body, times := range ran {
		want := 1
		if body[0] == 'D' {
			want = 2
		}
		assert.Equal(t, want, times, body)
	}
}
