package tctest

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Answer is one answer of the service, or its absence, in every detail. The zero Answer is a success without fields. Most are
// made by Success, Fail, Raw, EventStream, Broken, Hang or Normal and refined by methods, which return a changed copy:
//
//	tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2)
//	tctest.Success(v).After(time.Second).StallAt(10, 5*time.Second)
type Answer struct {
	// Code and Message make a failure envelope. No Code: a success. No Message: one that suits the code.
	Code, Message string
	// LegacyCode other than 0 makes a failure in the older form, {"code":LegacyCode,"message":Message,"codeDesc":Code}.
	LegacyCode int
	// Value has the fields of a success; see HandlerFunc.
	Value any
	// Body is sent as it is instead of an envelope. Use an empty one that is not nil for no body at all.
	Body []byte
	// Events are sent as text/event-stream instead of an envelope.
	Events []Event
	// Status is the HTTP status, 200 or more; 0 means 200, also for failures, as the service does it.
	Status int
	// Header is added to, and wins over, the usual headers. A name without values is left out of the answer.
	Header http.Header
	// Delay passes before the headers. A negative one never ends: the service hangs.
	Delay time.Duration
	// Stall passes after StallAfter bytes of the body. Negative: no end, respectively in the middle.
	Stall      time.Duration
	StallAfter int
	// Cut says where the connection breaks off; CutAfter is after how many bytes, for CutInBody. Negative: in the middle.
	Cut      Cut
	CutAfter int
	// Chunked leaves the Content-Length out.
	Chunked bool
	// Gzip compresses the body if the request accepts that; see WithGzip. Offsets are then those of the compressed body.
	Gzip bool
	// Early answers when the headers were read, without a look at the body.
	Early bool
	// Handled lets the call be handled as if there were no script, quota and outage included, and then does to that answer what
	// Header, Delay, Stall, Cut, Chunked and Gzip say.
	Handled bool
	// Repeat is how often a script gives the answer. 0 means once, negative for ever.
	Repeat int
}

// Event is one event of an EventStream.
type Event struct {
	// Pause passes before the event.
	Pause time.Duration
	// ID, Name and Data are its fields; empty ones are left out. Data may have several lines.
	ID, Name, Data string
}

// Cut is a point at which a connection breaks.
type Cut uint8

const (
	// CutNone breaks nothing.
	CutNone Cut = iota
	// CutDial refuses the connection: ECONNREFUSED. Clients that do not come through Server.Transport or RoundTripper see
	// CutBeforeRead instead, since a connection that exists cannot be refused.
	CutDial
	// CutBeforeRead resets the connection before the request's body was read: ECONNRESET.
	CutBeforeRead
	// CutBeforeAnswer closes the connection after the whole request was read: EOF. With Normal the call was carried out.
	CutBeforeAnswer
	// CutInBody closes it in the middle of the answer's body: unexpected EOF.
	CutInBody
)

// String returns the name of the point.
func (c Cut) String() string {
	switch c {
	case CutNone:
		return "none"
	case CutDial:
		return "dial"
	case CutBeforeRead:
		return "before read"
	case CutBeforeAnswer:
		return "before answer"
	case CutInBody:
		return "in body"
	}
	return "Cut(" + strconv.Itoa(int(c)) + ")"
}

// Success returns an answer with the fields of v, which may be nil.
func Success(v any) Answer { return Answer{Value: v} }

// Fail returns a failure with HTTP status 200, that code and a message that suits it.
func Fail(code string) Answer { return Answer{Code: code} }

// FailWith returns a failure with HTTP status 200, that code and message.
func FailWith(code, message string) Answer { return Answer{Code: code, Message: message} }

// LegacyFail returns a failure in the older form: {"code":number,"message":message,"codeDesc":codeDesc}.
func LegacyFail(number int, codeDesc, message string) Answer {
	return Answer{LegacyCode: number, Code: codeDesc, Message: message}
}

// Raw returns an answer with exactly this status, Content-Type (empty: none) and body.
func Raw(status int, contentType, body string) Answer {
	ans := Answer{Status: status, Body: []byte(body), Header: http.Header{"Content-Type": nil}}
	if contentType != "" {
		ans.Header["Content-Type"] = []string{contentType}
	}
	return ans
}

// Unavailable returns the HTML page with status 503 that a load balancer gives when nobody is behind it.
func Unavailable() Answer {
	return Raw(http.StatusServiceUnavailable, "text/html",
		"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n"+
			"<body><center><h1>503 Service Temporarily Unavailable</h1></center></body>\r\n</html>\r\n")
}

// EventStream returns an answer of server-sent events.
func EventStream(events ...Event) Answer { return Answer{Events: events} }

// Broken returns a connection that breaks at that point; CutInBody after half of a success.
func Broken(cut Cut) Answer { return Answer{Cut: cut, CutAfter: -1} }

// Hang returns an answer that never comes. In a synctest bubble the caller must have a deadline.
func Hang() Answer { return Answer{Delay: -1} }

// Normal returns the answer that would be given without the script. Refined, it spoils that answer:
// Normal().CutAt(CutBeforeAnswer, 0) carries the call out and loses the answer.
func Normal() Answer { return Answer{Handled: true} }

// Times returns the answer n times over. It panics if n is below 1.
func (ans Answer) Times(n int) Answer {
	if n < 1 {
		panic("tctest: Times(" + strconv.Itoa(n) + "): below 1")
	}
	ans.Repeat = n
	return ans
}

// Forever returns the answer repeated without end: nothing after it in a script is ever reached.
func (ans Answer) Forever() Answer { ans.Repeat = -1; return ans }

// After returns the answer after a delay before its headers.
func (ans Answer) After(d time.Duration) Answer { ans.Delay = d; return ans }

// StallAt returns the answer with a pause of d after so many bytes of its body, 0 being right after the headers.
func (ans Answer) StallAt(offset int, d time.Duration) Answer {
	ans.StallAfter, ans.Stall = offset, d
	return ans
}

// CutAt returns the answer broken off at that point; offset is the number of body bytes that CutInBody lets through, negative
// for half of them.
func (ans Answer) CutAt(cut Cut, offset int) Answer {
	ans.Cut, ans.CutAfter = cut, offset
	return ans
}

// With returns the answer with a header set.
func (ans Answer) With(name, value string) Answer {
	h := ans.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	h.Set(name, value)
	ans.Header = h
	return ans
}

// RetryAfter returns the answer with a Retry-After header of d, rounded up to whole seconds. For a date, or nonsense, use With.
func (ans Answer) RetryAfter(d time.Duration) Answer {
	return ans.With("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
}
