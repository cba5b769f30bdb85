package tencenthttp

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jsonOf returns a success of at least n bytes.
func jsonOf(n int) string {
	return `{"Response":{"Data":"` + strings.Repeat("0123456789abcdef", n/16+1) + `","RequestId":"id"}}`
}

func TestLook_LeavesTheBodyAsItWas(t *testing.T) {
	contents := map[string]string{
		"empty": "", "success": success, "failure": apiError("AuthFailure"), "no JSON": "<html>", "one byte": "{", "blank": " \n\t ",
		"half a byte order mark": "\xef\xbb", "16 KiB": jsonOf(16 << 10), "limit": jsonOf(64 << 10)[:64<<10], "above the limit": jsonOf(64 << 10)[:64<<10+1],
		"far above it": jsonOf(300 << 10), "array": `[1,2,3]`, "binary": "\x00\xff\xfe",
	}
	chunkings := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
		"error with data": iotest.DataErrReader, "empty reads": func(r io.Reader) io.Reader { return &stutter{Reader: r} },
	}
	for what, content := range contents {
		for how, chunked := range chunkings {
			for _, length := range []int64{int64(len(content)), -1} {
				t.Run("C14 "+what+" "+how+map[bool]string{true: " of unknown length"}[length < 0], func(t *testing.T) {
					resp := answer(200, "")
					resp.ContentLength = length
					resp.Header.Set("X-Other", "kept")
					header := resp.Header.Clone()
					resp.Body = &trackedBody{Reader: chunked(strings.NewReader(content))}
					got, err := newTransport(t, scripted(give(resp))).RoundTrip(newRequest(t, "RunInstances", `{}`))
					require.NoError(t, err)
					assert.Same(t, resp, got)
					assert.Equal(t, length, got.ContentLength)
					assert.Equal(t, header, got.Header)
					assert.True(t, content == readAll(t, got), "body")
				})
			}
		}
	}
}

// stutter gives no byte and no error, every other time.
type stutter struct {
	io.Reader
	times int
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.times++; s.times%2 == 1 {
		return 0, nil
	}
	return s.Reader.Read(p)
}

func TestLook_GivesUpOnABodyThatGivesNothing(t *testing.T) {
	times := 0
	resp := answer(200, "")
	resp.ContentLength = -1
	resp.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
		if times++; times <= 1000 {
			return 0, nil
		}
		return copy(p, success), io.EOF
	}))
	got, err := newTransport(t, scripted(give(resp))).RoundTrip(newRequest(t, "RunInstances", `{}`))
	require.NoError(t, err)
	assert.Equal(t, maxEmptyReads, times)
	assert.Equal(t, success, readAll(t, got))
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestLook_ReadErrors(t *testing.T) {
	rows := []struct {
		name     string
		content  string
		length   int64
		encoding string
		inside   bool // the error meets the look
	}{
		{"C16 inside the look", success[:20], int64(len(success)), "", true},
		{"C16 inside the look, unknown length", success[:20], -1, "", true},
		{"C16 at once", "", -1, "", true},
		{"C16 inside the look, compressed", success[:20], -1, "gzip", true},
		{"C16 beyond the look, unknown length", jsonOf(100 << 10), -1, "", false},
		{"C16 beyond the look, compressed", jsonOf(100 << 10), -1, "br", false},
		{"C16 longer than the look by its Content-Length", "{", 1 << 20, "", false},
		{"C16 no JSON object, so that the look has ended", "<html>", -1, "", false},
	}
	for _, row := range rows {
		for _, cause := range []error{io.ErrUnexpectedEOF, errLost} {
			t.Run(row.name+", "+cause.Error(), func(t *testing.T) {
				cut := func(*http.Request) (*http.Response, error) {
					resp := answer(200, "")
					resp.ContentLength = row.length
					resp.Header.Set("Content-Encoding", row.encoding)
					resp.Body = &trackedBody{Reader: io.MultiReader(strings.NewReader(row.content), errReader{cause})}
					return resp, nil
				}
				base := scripted(cut, reply(200, success))
				resp, err := newTransport(t, base).RoundTrip(newRequest(t, "DescribeRegions", `{}`))
				require.NoError(t, err)
				defer resp.Body.Close()
				data, err := io.ReadAll(resp.Body)
				if row.inside {
					require.NoError(t, err)
					assert.Equal(t, 2, base.attempts())
					assert.Equal(t, success, string(data))

					_, err = newTransport(t, scripted(cut)).RoundTrip(newRequest(t, "RunInstances", `{}`))
					require.ErrorIs(t, err, cause)
					assert.True(t, is[*cutOffError](err))
					return
				}
				assert.Equal(t, cause, err)
				assert.True(t, row.content == string(data), "everything before the error")
				assert.Equal(t, 1, base.attempts())
				_, err = resp.Body.Read(make([]byte, 1))
				assert.Equal(t, cause, err, "the error stays")
			})
		}
	}
}

func compressed(encoding, content string) string {
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "flate":
		w, _ = flate.NewWriter(&b, flate.BestCompression)
	}
	io.WriteString(w, content)
	w.Close()
	return b.String()
}

func TestLook_UnderstandsCompressedAnswers(t *testing.T) {
	throttle := apiError("RequestLimitExceeded")
	rows := []struct {
		name       string
		encoding   string
		body       string
		understood bool
	}{
		{"C17 gzip", "gzip", compressed("gzip", throttle), true},
		{"C17 GZIP", "GZIP", compressed("gzip", throttle), true},
		{"C17 x-gzip", "x-gzip", compressed("gzip", throttle), true},
		{"C17 deflate", "deflate", compressed("zlib", throttle), true},
		{"C17 deflate without zlib's frame", "deflate", compressed("flate", throttle), true},
		{"C17 identity", "identity", throttle, true},
		{"C17 gzip cut short", "gzip", compressed("gzip", throttle)[:40], false},
		{"C17 gzip that is none", "gzip", throttle, false},
		{"C17 deflate cut short", "deflate", compressed("zlib", throttle)[:40], false},
		{"C17 deflate that is none", "deflate", "\xff\xff\xff", false},
		{"C17 an encoding unknown here", "br", throttle, false},
		{"C17 two encodings", "gzip, gzip", compressed("gzip", compressed("gzip", throttle)), false},
		{"C17 gzip bomb", "gzip", compressed("gzip", `{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"`+strings.Repeat(" ", 16<<20)+`"}}}`), false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			require.Less(t, len(row.body), defaultMaxInspect)
			base := scripted(func(*http.Request) (*http.Response, error) {
				resp := answer(200, row.body)
				resp.Header.Set("Content-Encoding", row.encoding)
				return resp, nil
			})
			req := newRequest(t, "RunInstances", `{}`)
			req.Header.Set("Accept-Encoding", row.encoding)
			resp, err := newTransport(t, base, WithMaxAttempts(2), WithoutPacing()).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, row.encoding, resp.Header.Get("Content-Encoding"))
			assert.Equal(t, int64(len(row.body)), resp.ContentLength)
			assert.True(t, row.body == readAll(t, resp), "body")
			assert.Equal(t, map[bool]int{true: 2, false: 1}[row.understood], base.attempts())
		})
	}
}

func TestLook_ReadsNothingOfOtherAnswers(t *testing.T) {
	rows := []struct {
		name   string
		change func(resp *http.Response)
		look   bool
	}{
		{"JSON", func(*http.Response) {}, true},
		{"JSON with a charset", func(r *http.Response) { r.Header.Set("Content-Type", "Application/JSON ; charset=utf-8") }, true},
		{"+json", func(r *http.Response) { r.Header.Set("Content-Type", "application/problem+JSON") }, true},
		{"no type", func(r *http.Response) { r.Header.Del("Content-Type") }, true},
		{"C20 HEAD", func(r *http.Response) { r.Request = &http.Request{Method: http.MethodHead} }, false},
		{"C20 204", func(r *http.Response) { r.StatusCode = 204 }, false},
		{"C20 304", func(r *http.Response) { r.StatusCode = 304 }, false},
		{"C19 101", func(r *http.Response) { r.StatusCode = 101 }, false},
		{"C20 Content-Length 0", func(r *http.Response) { r.ContentLength = 0 }, false},
		{"C21 event stream", func(r *http.Response) { r.Header.Set("Content-Type", "text/event-stream") }, false},
		{"C21 event stream with a charset", func(r *http.Response) { r.Header.Set("Content-Type", "text/event-stream;charset=utf-8") }, false},
		{"C21 octet stream", func(r *http.Response) { r.Header.Set("Content-Type", "application/octet-stream") }, false},
		{"C21 JSON sequence", func(r *http.Response) { r.Header.Set("Content-Type", "application/json-seq") }, false},
		{"XML", func(r *http.Response) { r.Header.Set("Content-Type", "application/xml") }, false},
		{"a suffix alone", func(r *http.Response) { r.Header.Set("Content-Type", "+json") }, false},
		{"JSON from the object storage", func(r *http.Response) { r.Header.Set("X-Cos-Request-Id", "NWE5") }, false},
		{"C15 longer than the look", func(r *http.Response) { r.ContentLength = defaultMaxInspect + 1 }, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			resp := answer(200, success)
			body := resp.Body.(*trackedBody)
			row.change(resp)
			got, err := newTransport(t, scripted(give(resp))).RoundTrip(newRequest(t, "RunInstances", `{}`))
			require.NoError(t, err)
			assert.Equal(t, row.look, body.reads.Load() > 0)
			if !row.look {
				assert.Same(t, body, got.Body)
			}
			assert.Equal(t, success, readAll(t, got))
		})
	}
	t.Run("WithMaxInspect(0)", func(t *testing.T) {
		resp := answer(200, apiError("InternalError"))
		body := resp.Body.(*trackedBody)
		_, err := newTransport(t, scripted(give(resp)), WithMaxInspect(0)).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Zero(t, body.reads.Load())
	})
}

// FuzzLook checks that no look changes what a body gives: any bytes in any portions, of any type and encoding, with any end.
func FuzzLook(f *testing.F) {
	f.Add([]byte(success), uint64(3), "application/json", "", uint16(100), false)
	f.Add([]byte(apiError("InternalError")), uint64(1), "", "", uint16(20), true)
	f.Add([]byte(compressed("gzip", apiError("InternalError"))), uint64(0xffff), "application/json; charset=utf-8", "gzip", uint16(65535), false)
	f.Add([]byte(compressed("zlib", success)), uint64(7), "text/x+json", "deflate", uint16(65535), true)
	f.Add([]byte("\xef\xbb\xbf  {}"), uint64(0), "text/html", "br", uint16(4), false)
	f.Fuzz(func(t *testing.T, data []byte, portions uint64, contentType, encoding string, limit uint16, broken bool) {
		end := io.EOF
		if broken {
			end = errors.New("broken")
		}
		for _, length := range []int64{-1, int64(len(data))} {
			resp := answer(200, "")
			resp.Header.Set("Content-Type", contentType)
			resp.Header.Set("Content-Encoding", encoding)
			resp.ContentLength = length
			resp.Body = io.NopCloser(&portioned{data: data, portions: portions, end: end})
			a := &attempt{resp: resp}
			if inspectable(resp, int64(limit)) {
				a.look(int64(limit))
			}
			a.readPlain()
			var got bytes.Buffer
			_, err := io.CopyN(&got, &portioned{source: resp.Body, portions: portions >> 7}, int64(portions>>61)) // as Read gives it
			if err == nil || err == io.EOF {
				_, err = io.Copy(&got, resp.Body) // as WriteTo does
			}
			require.True(t, bytes.Equal(data, got.Bytes()), "body changed: %q is now %q", data, got.Bytes())
			if broken {
				require.Equal(t, end, err)
			} else {
				require.NoError(t, err)
			}
		}
	})
}

// portioned gives data, or what source gives, in portions that the bits of a number say, and then an error.
type portioned struct {
	data     []byte
	source   io.Reader
	portions uint64
	end      error
}

func (r *portioned) Read(p []byte) (int, error) {
	size := int(r.portions & 7)
	r.portions = r.portions>>3 | r.portions<<61
	if r.source != nil {
		return r.source.Read(p[:min(len(p), size+1)])
	}
	if r.portions == 0 {
		size = 8
	}
	p = p[:min(len(p), size)]
	n := copy(p, r.data)
	if r.data = r.data[n:]; len(r.data) == 0 && size != 1 { // with the last byte, or after it
		return n, r.end
	}
	return n, nil
}
