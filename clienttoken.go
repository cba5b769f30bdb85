package tencenthttp

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

// addClientToken gives the call's request a ClientToken, if its action is one that WithClientTokens names.
func (c *call) addClientToken() error {
	if !needsClientToken(c.t.cfg.tokenActions, c.target.Target) || !c.resigns() {
		return nil
	}
	req, err := withClientToken(c.req, c.t.cfg.maxReplay)
	if err != nil {
		return err
	}
	c.altered = req != c.req && req.ContentLength != c.req.ContentLength
	c.req, c.replay = req, newReplay(req, c.t.cfg.maxReplay)
	return nil
}

// needsClientToken tells whether a call is one of a WithClientTokens action. The patterns are service:Action or Action.
func needsClientToken(actions []string, target Target) bool {
	if len(actions) == 0 || target.Action == "" {
		return false
	}
	return slices.Contains(actions, target.Action) || slices.Contains(actions, target.Service+":"+target.Action)
}

// withClientToken returns a request that has a ClientToken of its own in its JSON body, by which the service knows a call that it
// ran before. Where the body has one already, is no JSON object, or is longer than limit, it returns one with the same body. The
// request given is not changed, but its body belongs to the returned one.
func withClientToken(req *http.Request, limit int64) (*http.Request, error) {
	if !hasBody(req) || !isJSON(headerValue(req.Header, "Content-Type")) || req.ContentLength > limit {
		return req, nil
	}
	source := req.Body
	if req.GetBody != nil {
		fresh, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		defer fresh.Close()
		source = fresh
	}
	content, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) <= limit {
		if object, ok := withToken(content, newClientToken()); ok {
			defer req.Body.Close()
			return withContent(req, object), nil
		}
	}
	if req.GetBody != nil {
		return req, nil
	}
	whole := *req // what was read of it is put before the rest
	whole.Body = readCloser{io.MultiReader(bytes.NewReader(content), req.Body), req.Body}
	return &whole, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// withContent returns the request with another body.
func withContent(req *http.Request, content []byte) *http.Request {
	other := *req
	other.ContentLength = int64(len(content))
	other.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	other.Body, _ = other.GetBody()
	return &other
}

// withToken returns a JSON object with the member ClientToken before its others; false if it has one already, or is no object.
func withToken(object []byte, token string) ([]byte, bool) {
	if !json.Valid(object) {
		return nil, false
	}
	members, found := 0, false
	jsonMembers(object, func(key string, _ []byte) bool {
		members++
		found = key == "ClientToken"
		return !found
	})
	open := skipSpace(object, 0)
	if found || object[open] != '{' {
		return nil, false
	}
	var b bytes.Buffer
	b.Grow(len(object) + len(token) + len(`"ClientToken":"",`))
	b.Write(object[:open+1])
	b.WriteString(`"ClientToken":"` + token + `"`)
	if members > 0 {
		b.WriteByte(',')
	}
	b.Write(object[open+1:])
	return b.Bytes(), true
}

// newClientToken returns 26 characters from crypto/rand; services accept up to 64 of ASCII.
func newClientToken() string { return rand.Text() }
