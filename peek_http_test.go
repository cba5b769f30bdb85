package tencenthttp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLook_FirstByteOfAStreamComesAtOnce(t *testing.T) {
	rows := []struct{ name, contentType, first string }{
		{"C21 event stream", "text/event-stream", "data: {}\n\n"},
		{"C21 event stream with parameters", "text/event-stream; charset=utf-8", "data: {}\n\n"},
		{"C21 octet stream", "application/octet-stream", "{"},
		{"C21 no type, and no JSON object", "", "data: {}\n\n"},
		{"C21 JSON by its type, but none", "application/json", "data: {}\n\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			release := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header()["Content-Type"] = nil
				if row.contentType != "" {
					w.Header().Set("Content-Type", row.contentType)
				}
				io.WriteString(w, row.first)
				w.(http.Flusher).Flush()
				<-release
				io.WriteString(w, "data: [DONE]\n\n")
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only to end a failing test
			defer cancel()
			resp, err := s.client(t, WithAttemptTimeout(time.Minute)).Do(s.request(t, "ChatCompletions", strings.NewReader(`{}`)).WithContext(ctx))
			if err != nil {
				close(release)
				require.NoError(t, err)
			}
			first := make([]byte, len(row.first))
			_, err = io.ReadFull(resp.Body, first)
			close(release)
			require.NoError(t, err)
			assert.Equal(t, row.first, string(first))
			assert.Equal(t, "data: [DONE]\n\n", readAll(t, resp))
		})
	}
}

func TestLook_LeavesOtherFeaturesOfNetHTTPAlone(t *testing.T) {
	t.Run("C18 Uncompressed", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
			assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"), "net/http asks for it by itself")
			w.Header().Set("Content-Encoding", "gzip")
			body := success
			if nth == 1 {
				body = apiError("InternalError")
			}
			writeJSON(w, 200, compressed("gzip", body))
		})
		resp, err := s.client(t).Do(s.request(t, "RunInstances", strings.NewReader(`{}`)))
		require.NoError(t, err)
		assert.True(t, resp.Uncompressed)
		assert.EqualValues(t, -1, resp.ContentLength)
		assert.Empty(t, resp.Header.Get("Content-Encoding"))
		assert.Equal(t, success, readAll(t, resp))
		assert.EqualValues(t, 2, s.requests.Load())
	})
	t.Run("C17 compressed because the caller asked for it", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
			w.Header().Set("Content-Encoding", "gzip")
			body := success
			if nth == 1 {
				body = apiError("InternalError")
			}
			writeJSON(w, 200, compressed("gzip", body))
		})
		req := s.request(t, "RunInstances", strings.NewReader(`{}`))
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err := s.client(t).Do(req)
		require.NoError(t, err)
		assert.False(t, resp.Uncompressed)
		assert.Equal(t, compressed("gzip", success), readAll(t, resp))
		assert.EqualValues(t, 2, s.requests.Load())
	})
	t.Run("C18 trailers", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Trailer", "X-Sum")
			writeJSON(w, 200, jsonOf(200<<10))
			w.Header().Set("X-Sum", "42")
		})
		resp, err := s.client(t).Do(s.request(t, "RunInstances", strings.NewReader(`{}`)))
		require.NoError(t, err)
		assert.Equal(t, http.Header{"X-Sum": nil}, resp.Trailer)
		assert.Equal(t, jsonOf(200<<10), readAll(t, resp))
		assert.Equal(t, "42", resp.Trailer.Get("X-Sum"))
	})
	t.Run("C18 1xx trace hooks", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
			writeJSON(w, 200, success)
		})
		var hints []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				hints = append(hints, strconv.Itoa(code)+" "+header.Get("Link"))
				return nil
			},
		})
		for _, body := range []io.Reader{nil, strings.NewReader(`{}`)} {
			hints = nil
			resp, err := s.client(t).Do(s.request(t, "RunInstances", body).WithContext(ctx))
			require.NoError(t, err)
			assert.Equal(t, success, readAll(t, resp))
			assert.Equal(t, []string{"103 </style.css>"}, hints)
		}
	})
	for _, status := range []int{http.StatusNoContent, http.StatusNotModified} {
		t.Run("C20 "+http.StatusText(status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(status) })
			resp, err := s.client(t).Do(s.request(t, "RunInstances", nil))
			require.NoError(t, err)
			assert.Empty(t, readAll(t, resp))
		})
	}
	t.Run("C20 HEAD", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Length", "1000")
			writeJSON(w, 200, "")
		})
		resp, err := s.client(t).Head(s.URL)
		require.NoError(t, err)
		assert.EqualValues(t, 1000, resp.ContentLength)
		assert.Empty(t, readAll(t, resp))
		assert.EqualValues(t, 1, s.requests.Load())
	})
	t.Run("C16 an answer that is cut off", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, nth int) {
			if nth == 1 {
				w.Header().Set("Content-Length", "1000")
				writeJSON(w, 200, success)
				return // net/http closes the connection
			}
			writeJSON(w, 200, success)
		})
		resp, err := s.client(t).Do(s.request(t, "DescribeRegions", strings.NewReader(`{}`)))
		require.NoError(t, err)
		assert.Equal(t, success, readAll(t, resp))
		assert.EqualValues(t, 2, s.requests.Load())
	})
}

// hugeObject is a JSON object of a given length that needs no memory, and measures the heap half way.
type hugeObject struct {
	left, half int64
	heap       uint64
}

func (r *hugeObject) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), r.left)
	for i := range p[:n] {
		p[i] = ' '
	}
	if r.heap == 0 {
		p[0] = '{'
		r.heap = 1
	}
	if r.left -= n; r.heap == 1 && r.left < r.half {
		r.heap = liveHeap()
	}
	return int(n), nil
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // the first empties the pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestLook_HoldsNoLargeAnswer(t *testing.T) {
	const size = 200 << 20
	for name, length := range map[string]int64{"C15 200 MB": size, "C15 200 MB of unknown length": -1} {
		t.Run(name, func(t *testing.T) {
			content := &hugeObject{left: size, half: size / 2}
			resp := answer(200, "")
			resp.ContentLength, resp.Body = length, io.NopCloser(content)
			rt := newTransport(t, scripted(give(resp)))
			req := newRequest(t, "SearchLog", `{}`)
			before := liveHeap()
			got, err := rt.RoundTrip(req)
			require.NoError(t, err)
			read, err := io.Copy(io.Discard, got.Body)
			require.NoError(t, err)
			assert.EqualValues(t, size, read)
			assert.Less(t, int64(content.heap)-int64(before), int64(1<<20), "half way")
			assert.Less(t, int64(liveHeap())-int64(before), int64(1<<20), "at the end")
			runtime.KeepAlive(got)
		})
	}
	t.Run("C17 decompression bomb", func(t *testing.T) {
		bomb := []byte(compressed("gzip", `{"Response":{"Data":"`+strings.Repeat(" ", 16<<20)+`"}}`))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		assert.Nil(t, decode(bomb, "gzip", defaultMaxInspect))
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	})
}

func TestLook_HoldsNoLargeAnswerOfARealServer(t *testing.T) {
	const size = 200 << 20
	for _, known := range []bool{true, false} {
		t.Run(map[bool]string{true: "C15 Content-Length", false: "C15 chunked"}[known], func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Type", "application/json")
				if known {
					w.Header().Set("Content-Length", strconv.Itoa(size))
				}
				io.Copy(struct{ io.Writer }{w}, &hugeObject{left: size})
			})
			client := s.client(t)
			before := liveHeap()
			resp, err := client.Do(s.request(t, "SearchLog", strings.NewReader(`{}`)))
			require.NoError(t, err)
			defer resp.Body.Close()
			_, err = io.CopyN(io.Discard, resp.Body, size/2)
			require.NoError(t, err)
			assert.Less(t, int64(liveHeap())-int64(before), int64(1<<20))
			rest, err := io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			assert.EqualValues(t, size/2, rest)
		})
	}
}
