package tctest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

const endpoint = "https://cvm.tencentcloudapi.com/"

// newCall returns a request as the SDK sends it, but for the signature.
func newCall(t testing.TB, action, body string) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-TC-Action", action)
	r.Header.Set("X-TC-Version", "2017-03-12")
	r.Header.Set("X-TC-Region", "ap-guangzhou")
	return r
}

// send sends a call and returns the body of its answer.
func send(t testing.TB, rt http.RoundTripper, r *http.Request) string {
	t.Helper()
	resp, err := rt.RoundTrip(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(body)
}

// call sends a call without parameters and returns the code of its failure, empty for a success.
func call(t testing.TB, rt http.RoundTripper, action string) string {
	t.Helper()
	return codeOf(send(t, rt, newCall(t, action, "{}")))
}

func codeOf(body string) string {
	_, rest, _ := strings.Cut(body, `"Code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

// forms are the ways in which an API can be used.
var forms = []string{"memory", "http", "tls", "http2"}

// inForm starts an API in one of the forms.
func inForm(t *testing.T, form string, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
	switch form {
	case "memory":
		api := tctest.New(opts...)
		return api, api.RoundTripper()
	case "tls":
		opts = append(opts, tctest.WithTLS())
	case "http2":
		opts = append(opts, tctest.WithHTTP2())
	}
	srv := tctest.NewServer(opts...)
	t.Cleanup(srv.Close)
	return srv.API, srv.Transport()
}

// inAllForms runs a test in each form.
func inAllForms(t *testing.T, f func(t *testing.T, api *tctest.API, rt http.RoundTripper), opts ...tctest.Option) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			api, rt := inForm(t, form, opts...)
			f(t, api, rt)
		})
	}
}

// seen is what a client sees of an answer, and what the record says of it.
type seen struct {
	err, bodyErr        string
	status              int
	contentType, length string
	contentLength       int64
	uncompressed        bool
	body                string
	outcome             tctest.Outcome
	code                string
}

func observe(t *testing.T, api *tctest.API, rt http.RoundTripper, r *http.Request) seen {
	resp, err := rt.RoundTrip(r)
	s := seen{err: kind(err)}
	if err == nil {
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		require.Same(t, r, resp.Request)
		s.status, s.body, s.bodyErr = resp.StatusCode, string(body), kind(err)
		s.contentType, s.length = resp.Header.Get("Content-Type"), resp.Header.Get("Content-Length")
		s.contentLength, s.uncompressed = resp.ContentLength, resp.Uncompressed
		_, err = http.ParseTime(resp.Header.Get("Date"))
		require.NoError(t, err)
	} else {
		require.Nil(t, resp)
	}
	calls := api.Calls()
	require.Len(t, calls, 1)
	s.outcome, s.code = calls[0].Outcome, calls[0].Code
	return s
}

// kind puts errors into words that do not depend on addresses.
func kind(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	case errors.Is(err, io.EOF):
		return "EOF"
	case strings.Contains(err.Error(), "stream error"):
		return "stream"
	}
	return err.Error()
}

const empty = `{"Response":{"RequestId":"00000001-0000-4000-8000-000000000001"}}`

// answers is what a client sees of every kind of answer, in each form the same.
var answers = []struct {
	name   string
	answer tctest.Answer
	want   seen
}{
	{"success", tctest.Success(nil), seen{body: empty}},
	{"success with fields", tctest.Success(map[string]int{"N": 1}), seen{body: `{"Response":{"N":1,"RequestId":"00000001-0000-4000-8000-000000000001"}}`}},
	{"success with its own RequestId", tctest.Success(map[string]string{"RequestId": "mine"}), seen{body: `{"Response":{"RequestId":"mine"}}`}},
	{"success of a nil map", tctest.Success(map[string]string(nil)), seen{body: empty}},
	{"failure", tctest.FailWith("InvalidParameter", `a "b"`), seen{
		code: "InvalidParameter",
		body: `{"Response":{"Error":{"Code":"InvalidParameter","Message":"a \"b\""},"RequestId":"00000001-0000-4000-8000-000000000001"}}`,
	}},
	{"older failure", tctest.LegacyFail(4400, "RequestLimitExceeded", "slow down"), seen{
		code: "RequestLimitExceeded",
		body: `{"code":4400,"message":"slow down","codeDesc":"RequestLimitExceeded"}`,
	}},
	{"fields that are no object", tctest.Success(3), seen{
		code: "InternalError",
		body: `{"Response":{"Error":{"Code":"InternalError","Message":"tctest: the answer is a int, which is no JSON object"},"RequestId":"00000001-0000-4000-8000-000000000001"}}`,
	}},
	{"raw", tctest.Raw(200, "text/plain", "hello"), seen{contentType: "text/plain", body: "hello"}},
	{
		"raw envelope", tctest.Raw(429, "application/json", `{"Response":{"Error":{"Code":"RequestLimitExceeded"}}}`),
		seen{status: 429, code: "RequestLimitExceeded", body: `{"Response":{"Error":{"Code":"RequestLimitExceeded"}}}`},
	},
	{"raw success that has a Code", tctest.Raw(200, "application/json", `{"Response":{"Code":"x"}}`), seen{body: `{"Response":{"Code":"x"}}`}},
	{"no content", tctest.Raw(204, "", ""), seen{status: 204, contentType: "none", length: "none"}},
	{"empty body", tctest.Answer{Body: []byte{}}, seen{}},
	{
		"stream", tctest.EventStream(tctest.Event{Data: "a"}, tctest.Event{ID: "7", Name: "n", Data: "b\nc", Pause: time.Millisecond}),
		seen{contentType: "text/event-stream", contentLength: -1, body: "data: a\n\nid: 7\nevent: n\ndata: b\ndata: c\n\n"},
	},
	{
		"stream that stalls", tctest.EventStream(tctest.Event{Data: "a"}, tctest.Event{Data: "b"}).StallAt(9, time.Millisecond),
		seen{contentType: "text/event-stream", contentLength: -1, body: "data: a\n\ndata: b\n\n"},
	},
	{
		"stream that stalls at once", tctest.EventStream(tctest.Event{Data: "a", Pause: time.Millisecond}).StallAt(0, time.Millisecond),
		seen{contentType: "text/event-stream", contentLength: -1, body: "data: a\n\n"},
	},
	{"delay and stall", tctest.Success(nil).After(time.Millisecond).StallAt(-1, time.Millisecond), seen{body: empty}},
	{"chunked", tctest.Answer{Chunked: true}, seen{contentLength: -1, body: empty}},
	{"gzip", tctest.Answer{Gzip: true}, seen{contentLength: -1, uncompressed: true, body: empty}},
	{"gzip that is cut", tctest.Answer{Gzip: true}.CutAt(tctest.CutInBody, 10), seen{contentLength: -1, uncompressed: true, bodyErr: "unexpected EOF"}},
	{"gzip of one's own", tctest.Raw(200, "application/json", gzipped("{}")).With("Content-Encoding", "gzip"), seen{contentLength: -1, uncompressed: true, body: "{}"}},
	{
		"gzip that is none", tctest.Raw(200, "application/json", "{}").With("Content-Encoding", "gzip"),
		seen{contentLength: -1, uncompressed: true, bodyErr: "unexpected EOF"},
	},
	{"another encoding", tctest.Raw(200, "application/json", "{}").With("Content-Encoding", "br"), seen{body: "{}"}},
	{"early", tctest.Answer{Early: true}, seen{body: empty}},
	{"refused", tctest.Broken(tctest.CutDial), seen{err: "refused", outcome: tctest.Refused}},
	{"cut before read", tctest.Broken(tctest.CutBeforeRead), seen{err: "reset", outcome: tctest.Dropped}},
	{"cut before answer", tctest.Broken(tctest.CutBeforeAnswer), seen{err: "EOF", outcome: tctest.Dropped}},
	{"cut after the headers", tctest.Success(nil).CutAt(tctest.CutInBody, 0), seen{bodyErr: "unexpected EOF", length: "65"}},
	{"cut in mid-body", tctest.Success(nil).CutAt(tctest.CutInBody, 5), seen{bodyErr: "unexpected EOF", length: "65", body: empty[:5]}},
	{"cut behind the end", tctest.Success(nil).CutAt(tctest.CutInBody, 99), seen{body: empty}},
	{
		"cut in mid-stream", tctest.EventStream(tctest.Event{Data: "a"}, tctest.Event{Data: "b"}).CutAt(tctest.CutInBody, 9),
		seen{bodyErr: "unexpected EOF", contentType: "text/event-stream", contentLength: -1, body: "data: a\n\n"},
	},
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func TestAnswer_SameInEveryForm(t *testing.T) {
	for _, row := range answers {
		t.Run(row.name, func(t *testing.T) {
			for _, form := range forms {
				t.Run(form, func(t *testing.T) {
					api, rt := inForm(t, form)
					api.Script("*", row.answer)
					assert.Equal(t, expect(row.want, row.answer.Cut, form), observe(t, api, rt, newCall(t, "RunInstances", "{}")))
				})
			}
		})
	}
}

// expect fills in what most rows have in common.
func expect(want seen, cut tctest.Cut, form string) seen {
	if form == "http2" && cut != tctest.CutNone && cut != tctest.CutDial { // one stream is reset
		if want.err != "" {
			want.err = "stream"
		} else {
			want.bodyErr = "stream"
		}
	}
	if want.err != "" {
		return want
	}
	if want.status == 0 {
		want.status = 200
	}
	if want.outcome == tctest.Pending {
		want.outcome = tctest.Answered
	}
	if want.contentType == "" {
		want.contentType = "application/json"
	}
	if want.length == "" && want.contentLength >= 0 {
		want.length = strconv.Itoa(len(want.body))
	}
	for _, s := range []*string{&want.contentType, &want.length} {
		if *s == "none" {
			*s = ""
		}
	}
	if want.contentLength == 0 && want.length != "" {
		want.contentLength, _ = strconv.ParseInt(want.length, 10, 64)
	}
	return want
}
