package tencenthttp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// Envelope is what surrounds every answer of API 3.0: {"Response":{"Error":{"Code","Message"},"RequestId"}}, or the older
// {"code","message","codeDesc"}. A failed call has an Error; HTTP status 200 says nothing about it.
type Envelope struct {
	// RequestID names the call to the service's support. The older envelope has none.
	RequestID string
	// Error is why the call failed; nil if it succeeded.
	Error *APIError
}

// APIError is the failure that an envelope reports.
type APIError struct {
	// Code is the API's error code, with dots between its levels, such as AuthFailure.SignatureExpire.
	Code string
	// Message is the service's explanation. It is meant for people, may change at any time, and decides nothing.
	Message string
	// RequestID is the envelope's.
	RequestID string
}

// Error gives code, message and RequestId.
func (e *APIError) Error() string {
	text := "tencenthttp: api error " + e.Code
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (RequestId " + e.RequestID + ")"
	}
	return text
}

// ReadEnvelope reads the envelope of an answer, for callers who use net/http without the SDK. It looks at no more than the
// first 64 KiB and leaves resp.Body as it was: byte for byte, whatever was looked at. It returns nil and no error where the
// answer is no envelope: another content type, a stream, a longer body, or JSON of another shape. An error means that the
// body could not be read; it also meets the next reader of the body, at the same place.
func ReadEnvelope(resp *http.Response) (*Envelope, error) {
	if !inspectable(resp, defaultMaxInspect) {
		return nil, nil
	}
	body := &answerBody{base: resp.Body}
	seen, err := body.look(resp, defaultMaxInspect)
	resp.Body = body
	if err != nil {
		return nil, err
	}
	return parseEnvelope(seen), nil
}

const errorKeyEnd = `Error"`

var (
	utf8BOM        = []byte("\xef\xbb\xbf")
	responsePrefix = []byte(`{"Response":`)
	unicodeEscape  = []byte(`\u`)
	olderKey       = []byte(`"code"`)
	responseKey    = []byte(`"Response"`)
)

// plainSuccess tells without parsing that data is an envelope that reports no error: a key "Error" would have to be there, in
// letters or in escapes. False means only that a closer look is needed.
func plainSuccess(data []byte) bool {
	return bytes.HasPrefix(data, responsePrefix) && !mentionsError(data) && !bytes.Contains(data, unicodeEscape)
}

// mentionsError looks for the bytes "Error" in quotes. It hunts for the E: quotes are the commonest bytes of JSON, and a search that
// begins with one takes three times as long.
func mentionsError(data []byte) bool {
	for at := 0; ; at++ {
		next := bytes.IndexByte(data[at:], 'E')
		if next < 0 {
			return false
		}
		at += next
		if end := at + len(errorKeyEnd); end <= len(data) && string(data[at:end]) == errorKeyEnd && at > 0 && data[at-1] == '"' {
			return true
		}
	}
}

// plainRequestID returns the RequestId of an envelope that plainSuccess knows, where it stands at the end, as the service puts it:
// else nothing.
func plainRequestID(data []byte) string {
	data = bytes.TrimRight(data, " \t\r\n")
	before, closed := bytes.CutSuffix(data, []byte(`"}}`))
	at := bytes.LastIndexByte(before, '"')
	if !closed || at < 0 || !bytes.HasSuffix(before[:at], []byte(`"RequestId":`)) {
		return ""
	}
	return jsonString(data[at : len(before)+1])
}

// parseEnvelope decodes the envelope in data, or returns nil if data is none. Keys count in their exact case, and only where
// the protocol has them: 41 types of the API have a nested Error of their own. Of duplicate keys the last object counts, as
// in encoding/json, with which the SDK reads.
func parseEnvelope(data []byte) *Envelope {
	data = bytes.TrimPrefix(data, utf8BOM)
	escaped := bytes.Contains(data, unicodeEscape)
	if !escaped && !bytes.Contains(data, responseKey) && !bytes.Contains(data, olderKey) {
		return nil
	}
	if !json.Valid(data) {
		return nil
	}
	var response, code, message, codeDesc []byte
	jsonMembers(data, func(key string, value []byte) bool {
		switch key {
		case "Response":
			if isObject(value) {
				response = value
			}
		case "code":
			code = value
		case "message":
			message = value
		case "codeDesc":
			codeDesc = value
		}
		return true
	})
	if response != nil {
		return parseResponse(response)
	}
	if number, err := strconv.ParseInt(string(code), 10, 64); err == nil && codeDesc != nil {
		return olderEnvelope(number, jsonString(codeDesc), jsonString(message))
	}
	return nil
}

func parseResponse(response []byte) *Envelope {
	envelope := &Envelope{}
	var failure []byte
	jsonMembers(response, func(key string, value []byte) bool {
		switch key {
		case "RequestId":
			envelope.RequestID = jsonString(value)
		case "Error":
			if isObject(value) { // "Error":null is a success
				failure = value
			}
		}
		return true
	})
	if failure == nil {
		return envelope
	}
	envelope.Error = &APIError{RequestID: envelope.RequestID}
	jsonMembers(failure, func(key string, value []byte) bool {
		switch key {
		case "Code":
			envelope.Error.Code = jsonString(value)
		case "Message":
			envelope.Error.Message = jsonString(value)
		}
		return true
	})
	return envelope
}

// olderEnvelope is the envelope of API 2.0, where code 0 is a success and codeDesc holds what API 3.0 calls the code.
func olderEnvelope(code int64, codeDesc, message string) *Envelope {
	if code == 0 {
		return &Envelope{}
	}
	if codeDesc == "" {
		codeDesc = strconv.FormatInt(code, 10)
	}
	return &Envelope{Error: &APIError{Code: codeDesc, Message: message}}
}
