package tctest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reply is an answer in the form in which it goes over the wire.
type reply struct {
	status int
	header http.Header
	body   []segment
	length int64 // -1: not announced
	cut    Cut
	code   string // for the record
	values [3]string
}

// segment is a part of a body and the pause before it; a negative one has no end.
type segment struct {
	pause time.Duration
	data  []byte
}

// spoiled returns the answer with what a script wants done to it.
func (ans Answer) spoiled(by Answer) Answer {
	for name, values := range by.Header {
		h := ans.Header.Clone()
		if h == nil {
			h = make(http.Header)
		}
		h[name] = values
		ans.Header = h
	}
	if by.Delay != 0 {
		ans.Delay = by.Delay
	}
	if by.Stall != 0 {
		ans.Stall, ans.StallAfter = by.Stall, by.StallAfter
	}
	if by.Cut != CutNone {
		ans.Cut, ans.CutAfter = by.Cut, by.CutAfter
	}
	ans.Chunked = ans.Chunked || by.Chunked
	ans.Gzip = ans.Gzip || by.Gzip
	return ans
}

// render makes the reply of an answer.
func (x *exchange) render(ans Answer) *reply {
	rep := &reply{status: ans.Status, cut: ans.Cut, code: ans.Code}
	if rep.status == 0 {
		rep.status = http.StatusOK
	}
	if rep.cut == CutDial || rep.cut == CutBeforeRead || rep.cut == CutBeforeAnswer {
		return rep
	}
	rep.header = make(http.Header, 4)
	rep.set(0, "Content-Type", "application/json")
	if date := x.api.dateHeader(); date != "" {
		rep.set(1, "Date", date)
	}
	x.fill(rep, ans)
	for name, values := range ans.Header {
		rep.header[http.CanonicalHeaderKey(name)] = values
		if len(values) == 0 {
			delete(rep.header, http.CanonicalHeaderKey(name))
		}
	}
	if (ans.Gzip || x.api.gzip) && (x.gunzips || strings.Contains(x.req.Header.Get("Accept-Encoding"), "gzip")) {
		rep.compress()
	}
	rep.measure(ans)
	if bodiless(rep.status) {
		rep.body, rep.length = nil, 0
	} else if x.req.Method == http.MethodHead {
		rep.body = nil
	}
	return rep
}

// bodiless says that answers with that status have no body.
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// set sets one of the headers that every answer has. Their values share one piece of memory.
func (rep *reply) set(slot int, name, value string) {
	rep.values[slot] = value
	rep.header[name] = rep.values[slot : slot+1 : slot+1]
}

// fill gives the reply its body.
func (x *exchange) fill(rep *reply, ans Answer) {
	var body []byte
	switch {
	case ans.Body != nil:
		body = ans.Body
		if rep.code == "" {
			rep.code = codeIn(body)
		}
	case ans.Events != nil:
		rep.header["Content-Type"] = []string{"text/event-stream"}
		rep.header["X-Tc-Requestid"] = []string{x.req.RequestID}
		rep.body, rep.length = streamed(ans.Events), -1
		return
	case ans.LegacyCode != 0:
		body = legacyFailure(ans.LegacyCode, ans.Code, ans.Message)
	case ans.Code != "":
		body = failure(ans.Code, ans.Message, x.req.RequestID)
	default:
		var err error
		if body, err = envelope(ans.Value, x.req.RequestID); err != nil {
			rep.code = "InternalError"
			body = failure(rep.code, err.Error(), x.req.RequestID)
		}
	}
	rep.body = []segment{{data: body}}
	if ans.Chunked {
		rep.length = -1
	}
}

// codeIn returns the code of a failure that a test wrote out itself.
func codeIn(body []byte) string {
	if !bytes.Contains(body, []byte(`ode"`)) {
		return ""
	}
	var e struct {
		Response struct{ Error struct{ Code string } }
		CodeDesc string `json:"codeDesc"`
	}
	_ = json.Unmarshal(body, &e) // what is no envelope has no code
	if e.Response.Error.Code != "" {
		return e.Response.Error.Code
	}
	return e.CodeDesc
}

func streamed(events []Event) []segment {
	body := make([]segment, len(events))
	for i, e := range events {
		var b strings.Builder
		field := func(name, value string) {
			if value != "" {
				b.WriteString(name + ": " + value + "\n")
			}
		}
		field("id", e.ID)
		field("event", e.Name)
		if e.Data != "" {
			for line := range strings.SplitSeq(e.Data, "\n") {
				b.WriteString("data: " + line + "\n")
			}
		}
		b.WriteByte('\n')
		body[i] = segment{e.Pause, []byte(b.String())}
	}
	return body
}

// compress applies gzip, part by part, so that what is sent can be read.
func (rep *reply) compress() {
	rep.header["Content-Encoding"] = []string{"gzip"}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for i := range rep.body {
		_, _ = w.Write(rep.body[i].data) // a bytes.Buffer takes everything
		if i < len(rep.body)-1 {
			_ = w.Flush()
		} else {
			_ = w.Close()
		}
		rep.body[i].data = bytes.Clone(b.Bytes())
		b.Reset()
	}
}

// measure sets the Content-Length and then stalls and cuts the body.
func (rep *reply) measure(ans Answer) {
	total := 0
	for _, s := range rep.body {
		total += len(s.data)
	}
	if rep.length >= 0 {
		rep.length = int64(total)
		if !bodiless(rep.status) {
			rep.set(2, "Content-Length", strconv.Itoa(total))
		}
	}
	if ans.Stall != 0 {
		rep.stall(within(ans.StallAfter, total), ans.Stall)
	}
	if rep.cut == CutInBody {
		rep.truncate(within(ans.CutAfter, total))
	}
}

// within turns an offset that a test gave into one that exists.
func within(offset, total int) int {
	if offset < 0 {
		return total / 2
	}
	return min(offset, total)
}

// stall puts a pause at the offset.
func (rep *reply) stall(offset int, d time.Duration) {
	var body []segment
	for _, s := range rep.body {
		if n := len(s.data); offset < 0 || offset > n {
			offset -= n
			body = append(body, s)
			continue
		}
		if offset > 0 {
			body = append(body, segment{s.pause, s.data[:offset]})
			s.pause = 0
		}
		if s.pause > 0 && d > 0 {
			d += s.pause
		}
		body = append(body, segment{d, s.data[offset:]})
		offset = -1
	}
	rep.body = body
}

// truncate drops what is behind the offset.
func (rep *reply) truncate(offset int) {
	for i, s := range rep.body {
		if offset <= len(s.data) {
			rep.body[i].data = s.data[:offset]
			rep.body = rep.body[:i+1]
			return
		}
		offset -= len(s.data)
	}
}
