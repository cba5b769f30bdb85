package tencenthttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// envelopeOf says in short what an envelope reports.
func envelopeOf(e *Envelope) string {
	switch {
	case e == nil:
		return "none"
	case e.Error == nil:
		return "success " + e.RequestID
	}
	return e.Error.Code + " | " + e.Error.Message + " | " + e.RequestID
}

var envelopes = []struct{ name, body, want string }{
	{"success", `{"Response":{"RequestId":"id"}}`, "success id"},
	{"failure", `{"Response":{"Error":{"Code":"A.B","Message":"m"},"RequestId":"id"}}`, "A.B | m | id"},
	{"failure, other order", `{"Response":{"RequestId":"id","Error":{"Message":"m","Code":"A.B"}}}`, "A.B | m | id"},
	{"blank everywhere", " \r\n{ \"Response\" :\t{ \"Error\" : { \"Code\" : \"A\" } , \"RequestId\" : \"id\" } } \n", "A |  | id"},
	{"escapes in keys and values", `{"\u0052esponse":{"Err\u006fr":{"Code":"\u0041.B","Message":"\"\\\ud83d\ude00\n"}}}`, "A.B | \"\\\U0001F600\n | "},

	{"escapes in the key that counts", `{"Response":{"\u0045rr\u006fr":{"Code":"A"}}}`, "A |  | "},

	{"C45 nested Error", `{"Response":{"Set":[{"Error":{"Code":"X"}}],"Item":{"Error":{"Code":"Y"}},"RequestId":"id"}}`, "success id"},
	{"C45 nested Response", `{"Response":{"Response":{"Error":{"Code":"X"}},"RequestId":"id"}}`, "success id"},
	{"C45 Error beside Response", `{"Error":{"Code":"X"},"Response":{"RequestId":"id"}}`, "success id"},
	{"C45 error in lower case", `{"Response":{"error":{"Code":"X"},"RequestId":"id"}}`, "success id"},
	{"C45 ERROR in upper case", `{"Response":{"ERROR":{"Code":"X"},"RequestId":"id"}}`, "success id"},
	{"C45 code in lower case", `{"Response":{"Error":{"code":"X","Message":"m"},"RequestId":"id"}}`, " | m | id"},
	{"C45 response in lower case", `{"response":{"Error":{"Code":"X"}}}`, "none"},
	{"C45 requestid in lower case", `{"Response":{"requestid":"X"}}`, "success "},
	{"C45 Error null", `{"Response":{"Error":null,"RequestId":"id"}}`, "success id"},
	{"C45 Error a string", `{"Response":{"Error":"X","RequestId":"id"}}`, "success id"},
	{"C45 Error an array", `{"Response":{"Error":[{"Code":"X"}],"RequestId":"id"}}`, "success id"},
	{"C45 Error mentioned in a value", `{"Response":{"Text":"\"Error\":{\"Code\":\"X\"}","Other":"Error","RequestId":"id"}}`, "success id"},
	{"C45 names that end in Error", `{"Response":{"LastError":{"Code":"X"},"IsError":true,"RequestId":"id"}}`, "success id"},
	{"C45 Code a number", `{"Response":{"Error":{"Code":5,"Message":null}}}`, " |  | "},
	{"C45 RequestId an object", `{"Response":{"RequestId":{"a":1}}}`, "success "},
	{"C45 Response null", `{"Response":null}`, "none"},
	{"C45 Response an array", `{"Response":[]}`, "none"},
	{"C45 Response empty", `{"Response":{}}`, "success "},

	{"C45 duplicate Error", `{"Response":{"Error":{"Code":"A"},"Error":{"Code":"B"}}}`, "B |  | "},
	{"C45 duplicate Error, null at last", `{"Response":{"Error":{"Code":"A"},"Error":null}}`, "A |  | "},
	{"C45 duplicate Code", `{"Response":{"Error":{"Code":"A","Code":"B"}}}`, "B |  | "},
	{"C45 duplicate Response", `{"Response":{"Error":{"Code":"A"}},"Response":{"RequestId":"id"}}`, "success id"},
	{"C45 deep nesting", `{"Response":{"Deep":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `,"Error":{"Code":"A"}}}`, "A |  | "},
	{"C45 nested too deep for encoding/json", `{"Response":{"Error":{"Code":"A"},"Deep":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}}`, "none"},
	{"C45 huge numbers", `{"Response":{"N":1e999999,"M":` + strings.Repeat("9", 1000) + `,"Error":{"Code":"A"}}}`, "A |  | "},
	{"C45 invalid UTF-8", "{\"Response\":{\"\xff\":\"\xfe\",\"Error\":{\"Code\":\"A\xff\",\"Message\":\"\xc3\x28\"}}}", "A\ufffd | \ufffd( | "},
	{"C45 byte order mark", "\xef\xbb\xbf" + `{"Response":{"Error":{"Code":"A"}}}`, "A |  | "},
	{"C45 truncated", `{"Response":{"Error":{"Code":"A"`, "none"},
	{"C45 truncated behind a backslash", `{"Response":{"Error":{"Code":"A\`, "none"},
	{"C45 more behind it", `{"Response":{"Error":{"Code":"A"}}}{}`, "none"},
	{"C45 no JSON", `<html>"Response"</html>`, "none"},
	{"C45 empty", ``, "none"},
	{"C45 byte order mark alone", "\xef\xbb\xbf", "none"},
	{"C45 a string", `"Response"`, "none"},
	{"C45 an array", `["Response",{"Error":{"Code":"A"}}]`, "none"},
	{"C45 a number", `42`, "none"},
	{"C45 another object", `{"data":{"Response":1}}`, "none"},

	{"older success", `{"code":0,"message":"","codeDesc":"Success","data":1}`, "success "},
	{"older failure", `{"code":4100,"message":"(100) no","codeDesc":"AuthFailure.SignatureFailure"}`, "AuthFailure.SignatureFailure | (100) no | "},
	{"older failure without a name", `{"code":4100,"message":"no","codeDesc":""}`, "4100 | no | "},
	{"older failure below zero", `{"code":-1,"codeDesc":"X"}`, "X |  | "},
	{"older with a code that is a string", `{"code":"4100","codeDesc":"X"}`, "none"},
	{"older with a code that is a fraction", `{"code":1.5,"codeDesc":"X"}`, "none"},
	{"older with a huge code", `{"code":99999999999999999999,"codeDesc":"X"}`, "none"},
	{"older without codeDesc", `{"code":4100,"message":"no"}`, "none"},
	{"older in another case", `{"Code":4100,"Message":"no","CodeDesc":"X"}`, "none"},
	{"older beside a Response", `{"code":4100,"codeDesc":"X","Response":{"RequestId":"id"}}`, "success id"},
}

func TestParseEnvelope(t *testing.T) {
	for _, row := range envelopes {
		t.Run(row.name, func(t *testing.T) {
			envelope := parseEnvelope([]byte(row.body))
			assert.Equal(t, row.want, envelopeOf(envelope))
			if envelope != nil && envelope.Error != nil {
				assert.Equal(t, envelope.RequestID, envelope.Error.RequestID)
			}
			if plainSuccess([]byte(row.body)) {
				assert.NotContains(t, row.want, "|", "no failure may be overlooked")
			}
		})
	}
}

func TestTransport_JudgesByTheEnvelope(t *testing.T) {
	for _, row := range envelopes {
		t.Run(row.name, func(t *testing.T) {
			body := strings.NewReplacer(`"A"`, `"RequestLimitExceeded"`, `"X"`, `"RequestLimitExceeded"`).Replace(row.body)
			want := 1
			if strings.HasPrefix(row.want, "A |") || strings.HasPrefix(row.want, "X |") {
				want = 2
			}
			base := scripted(reply(200, body), reply(200, success))
			resp, err := newTransport(t, base, WithoutPacing()).RoundTrip(newRequest(t, "RunInstances", `{}`))
			require.NoError(t, err)
			readAll(t, resp)
			assert.Equal(t, want, base.attempts())
		})
	}
}

func TestReadEnvelope(t *testing.T) {
	for _, row := range envelopes {
		t.Run(row.name, func(t *testing.T) {
			resp := answer(200, row.body)
			envelope, err := ReadEnvelope(resp)
			require.NoError(t, err)
			assert.Equal(t, row.want, envelopeOf(envelope))
			assert.True(t, row.body == readAll(t, resp))
		})
	}
	t.Run("read twice", func(t *testing.T) {
		resp := answer(200, apiError("InternalError"))
		for range 2 {
			envelope, err := ReadEnvelope(resp)
			require.NoError(t, err)
			assert.Equal(t, "InternalError", envelope.Error.Code)
		}
		assert.Equal(t, apiError("InternalError"), readAll(t, resp))
	})
	t.Run("compressed", func(t *testing.T) {
		resp := answer(200, compressed("gzip", apiError("InternalError")))
		resp.Header.Set("Content-Encoding", "gzip")
		envelope, err := ReadEnvelope(resp)
		require.NoError(t, err)
		assert.Equal(t, "InternalError", envelope.Error.Code)
		assert.Equal(t, compressed("gzip", apiError("InternalError")), readAll(t, resp))
	})
	t.Run("after a Transport", func(t *testing.T) {
		resp, err := newTransport(t, scripted(reply(200, apiError("AuthFailure")))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		envelope, err := ReadEnvelope(resp)
		require.NoError(t, err)
		assert.Equal(t, &APIError{Code: "AuthFailure", Message: "no luck", RequestID: "id-of-AuthFailure"}, envelope.Error)
	})
	t.Run("not looked at", func(t *testing.T) {
		for _, contentType := range []string{"text/event-stream", "application/octet-stream", "text/xml"} {
			resp := answer(200, apiError("InternalError"))
			resp.Header.Set("Content-Type", contentType)
			body := resp.Body
			envelope, err := ReadEnvelope(resp)
			require.NoError(t, err)
			assert.Nil(t, envelope)
			assert.Same(t, body, resp.Body)
		}
	})
	t.Run("longer than the look", func(t *testing.T) {
		resp := answer(200, jsonOf(70<<10))
		resp.ContentLength = -1
		envelope, err := ReadEnvelope(resp)
		require.NoError(t, err)
		assert.Nil(t, envelope)
		assert.True(t, jsonOf(70<<10) == readAll(t, resp))
	})
	t.Run("C16 read error", func(t *testing.T) {
		resp := answer(200, "")
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(success[:30]), errReader{errLost}))
		envelope, err := ReadEnvelope(resp)
		require.Equal(t, errLost, err)
		assert.Nil(t, envelope)
		data, err := io.ReadAll(resp.Body)
		assert.Equal(t, errLost, err)
		assert.Equal(t, success[:30], string(data))
	})
	t.Run("no body", func(t *testing.T) {
		envelope, err := ReadEnvelope(&http.Response{StatusCode: 200})
		require.NoError(t, err)
		assert.Nil(t, envelope)
	})
}

func TestAPIError(t *testing.T) {
	rows := []struct {
		err  APIError
		want string
	}{
		{APIError{Code: "AuthFailure"}, "tencenthttp: api error AuthFailure"},
		{APIError{Code: "AuthFailure", Message: "no"}, "tencenthttp: api error AuthFailure: no"},
		{APIError{Code: "AuthFailure", Message: "no", RequestID: "id"}, "tencenthttp: api error AuthFailure: no (RequestId id)"},
	}
	for _, row := range rows {
		assert.EqualError(t, &row.err, row.want)
	}
}

func TestTransport_TellsHooksTheRequestIDOfASuccess(t *testing.T) {
	const id = `"RequestId":"3c140219-cfe9-470e-b241-907877d6fb03"`
	for what, body := range map[string]string{
		"plain": success, "plain, not at the end": `{"Response":{` + id + `,"Item":{"RequestId":"another"}}}`,
		"parsed": `{"Response":{"Item":{"Error":{}},` + id + `}}`,
	} {
		t.Run(what, func(t *testing.T) {
			var attempt AttemptInfo
			var done DoneInfo
			hooks := WithHooks(Hooks{
				Attempt: func(_ context.Context, info AttemptInfo) { attempt = info },
				Done:    func(_ context.Context, info DoneInfo) { done = info },
			})
			resp, err := newTransport(t, scripted(reply(200, body)), hooks).RoundTrip(newRequest(t, "RunInstances", `{}`))
			require.NoError(t, err)
			assert.Equal(t, body, readAll(t, resp))
			assert.Equal(t, "3c140219-cfe9-470e-b241-907877d6fb03", attempt.RequestID)
			assert.Equal(t, "3c140219-cfe9-470e-b241-907877d6fb03", done.RequestID)
		})
	}
}

func TestPlainRequestID(t *testing.T) {
	rows := []struct{ name, body, want string }{
		{"at the end", `{"Response":{"N":1,"RequestId":"id"}}`, "id"},
		{"alone, and blanks behind it", `{"Response":{"RequestId":"id"}}` + "\r\n ", "id"},
		{"empty", `{"Response":{"RequestId":""}}`, ""},
		{"not at the end", `{"Response":{"RequestId":"id","N":1}}`, ""},
		{"a nested one at the end", `{"Response":{"RequestId":"id","Item":{"RequestId":"other"}}}`, ""},
		{"another name", `{"Response":{"MyRequestId":"id"}}`, ""},
		{"in a text", `{"Response":{"Text":"\"RequestId\":\"id"}}`, ""},
		{"with escapes", `{"Response":{"RequestId":"a\\b\n"}}`, "a\\b\n"},
		{"ends in an escaped quote", `{"Response":{"RequestId":"a\""}}`, ""},
		{"C45 invalid UTF-8", "{\"Response\":{\"RequestId\":\"a\xff\xfe\"}}", "a\ufffd\ufffd"},
		{"no JSON", `"}}`, ""},
		{"nothing", ``, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, plainRequestID([]byte(row.body))) })
	}
}

// FuzzParseEnvelope compares with encoding/json, which decodes member by member here, so that keys keep their case.
func FuzzParseEnvelope(f *testing.F) {
	for _, row := range envelopes {
		if len(row.body) < 1000 {
			f.Add([]byte(row.body))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := parseEnvelope(data)
		want := referenceEnvelope(data)
		require.Equal(t, want, got)
		if plainSuccess(data) && want != nil {
			require.Nil(t, want.Error)
			if id := plainRequestID(data); id != "" && len(membersOf(data)) == 1 {
				require.Equal(t, want.RequestID, id)
			}
		}
	})
}

// referenceEnvelope is parseEnvelope without any short cut.
func referenceEnvelope(data []byte) *Envelope {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	top := membersOf(data)
	if response := top.object("Response"); response != nil {
		members := membersOf(response)
		envelope := &Envelope{RequestID: members.text("RequestId")}
		if failure := members.object("Error"); failure != nil {
			inner := membersOf(failure)
			envelope.Error = &APIError{Code: inner.text("Code"), Message: inner.text("Message"), RequestID: envelope.RequestID}
		}
		return envelope
	}
	var code int64
	if top["codeDesc"] == nil || json.Unmarshal(top.last("code"), &code) != nil || string(top.last("code")) == "null" {
		return nil
	}
	if code == 0 {
		return &Envelope{}
	}
	failure := &APIError{Code: top.text("codeDesc"), Message: top.text("message")}
	if failure.Code == "" {
		failure.Code = strconv.FormatInt(code, 10)
	}
	return &Envelope{Error: failure}
}

// members are the members of an object, duplicates included, in their order.
type members map[string][]json.RawMessage

// membersOf returns nothing if data is no object, or no JSON.
func membersOf(data []byte) members {
	var whole json.RawMessage
	if json.Unmarshal(data, &whole) != nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	found := members{}
	for decoder.More() {
		key, err := decoder.Token()
		var value json.RawMessage
		if err = errors.Join(err, decoder.Decode(&value)); err != nil {
			panic(err)
		}
		found[key.(string)] = append(found[key.(string)], value)
	}
	return found
}

func (m members) last(key string) json.RawMessage {
	if len(m[key]) == 0 {
		return nil
	}
	return m[key][len(m[key])-1]
}

// object returns the last value of a key that is an object.
func (m members) object(key string) json.RawMessage {
	for i := len(m[key]) - 1; i >= 0; i-- {
		if m[key][i][0] == '{' {
			return m[key][i]
		}
	}
	return nil
}

func (m members) text(key string) string {
	var text string
	if json.Unmarshal(m.last(key), &text) != nil {
		return ""
	}
	return text
}
