package tctest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// HandlerFunc answers a call. What it returns becomes the fields of Response: any value that encoding/json makes an object of,
// or nil for none but RequestId. It may also return an Answer, for anything that a script can do.
//
// An error that is or wraps an *Error becomes the failure with that code; any other becomes an InternalError. A panic goes on
// to the caller of the in-memory RoundTripper, and closes the connection of a Server, as in net/http.
//
// It runs once for each wire request that gets past signature, quota and outages, before the latency passes. It may be called
// by several goroutines at a time.
type HandlerFunc func(r *Request) (any, error)

// Error is a failure that a handler returns: the Code and Message of the answer. An empty Message is replaced by one that suits
// the code.
type Error struct{ Code, Message string }

// Error returns the code and message.
func (e *Error) Error() string { return e.Code + ": " + messageFor(e.Code, e.Message) }

// Handle sets the handler of an action, written "Action", "service:Action", "service:*" or "*"; the most exact one wins. A nil
// h removes it. The action "" stands for calls that name none, which otherwise fail with MissingParameter.
func (a *API) Handle(action string, h HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h == nil {
		delete(a.handlers, parseAction(action))
		return
	}
	a.handlers.set(action, h)
}

// handle lets the handler answer.
func (a *API) handle(r *Request) Answer {
	a.mu.Lock()
	h, ok := a.handlers.find(r.Service, r.Action)
	strict := a.strict
	a.mu.Unlock()
	if !ok {
		switch {
		case r.Action == "":
			return FailWith("MissingParameter", "The request is missing a required parameter `Action`.")
		case strict:
			return FailWith("InvalidAction", "The action `"+r.Action+"` does not exist.")
		}
		return Answer{}
	}
	v, err := h(r)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return FailWith(e.Code, e.Message)
		}
		return FailWith("InternalError", err.Error())
	}
	if ans, ok := v.(Answer); ok {
		return ans
	}
	return Success(v)
}

// envelope returns {"Response":{...}} with the fields of v and the RequestId, unless v has one of its own.
func envelope(v any, requestID string) ([]byte, error) {
	b := make([]byte, 0, 96)
	b = append(b, `{"Response":{`...)
	if v != nil {
		fields, err := objectFields(v)
		if err != nil {
			return nil, err
		}
		b = append(b, fields...)
		if len(fields) > 0 {
			var own struct{ RequestId *string }
			if json.Unmarshal(append(append([]byte{'{'}, fields...), '}'), &own) == nil && own.RequestId != nil {
				return append(b, "}}"...), nil
			}
			b = append(b, ',')
		}
	}
	b = append(b, `"RequestId":"`...)
	b = append(b, requestID...)
	return append(b, `"}}`...), nil
}

// objectFields returns the JSON of an object without its braces.
func objectFields(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("tctest: the answer cannot be encoded: %w", err)
	}
	if string(b) == "null" {
		return nil, nil
	}
	if len(b) < 2 || b[0] != '{' {
		return nil, fmt.Errorf("tctest: the answer is a %T, which is no JSON object", v)
	}
	return b[1 : len(b)-1], nil
}

// failure returns {"Response":{"Error":{...},"RequestId":"..."}}.
func failure(code, message, requestID string) []byte {
	quote := func(s string) []byte { b, _ := json.Marshal(s); return b }
	b := make([]byte, 0, 128+len(message))
	b = append(b, `{"Response":{"Error":{"Code":`...)
	b = append(b, quote(code)...)
	b = append(b, `,"Message":`...)
	b = append(b, quote(messageFor(code, message))...)
	b = append(b, `},"RequestId":"`...)
	b = append(b, requestID...)
	return append(b, `"}}`...)
}

// legacyFailure returns the envelope of the API's older version.
func legacyFailure(number int, codeDesc, message string) []byte {
	b, _ := json.Marshal(struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		CodeDesc string `json:"codeDesc"`
	}{number, messageFor(codeDesc, message), codeDesc})
	return b
}

func messageFor(code, message string) string {
	switch {
	case message != "":
		return message
	case code == "InternalError":
		return "An internal error has occurred. Retry your request, but if the problem persists, contact us with details by submitting a ticket."
	case code == "RequestLimitExceeded", strings.HasPrefix(code, "RequestLimitExceeded."):
		return "The frequency of your requests exceeds the limit. Please reduce the frequency of calls."
	default:
		return "The request failed with " + code + "."
	}
}
