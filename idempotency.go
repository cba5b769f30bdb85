package tencenthttp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

type idempotentKey struct{}

// ContextWithIdempotent returns a context that says whether the calls made with it may be run twice. It outranks everything else
// that a Transport goes by: the options, the action's name and the tokens in the request. With false, a failure of which nobody
// knows whether the call ran, such as InternalError, is not retried either: only calls that were refused before they ran, or
// never sent, are sent again.
func ContextWithIdempotent(ctx context.Context, idempotent bool) context.Context {
	return context.WithValue(ctx, idempotentKey{}, idempotent)
}

// idempotentFromContext returns what ContextWithIdempotent said, if it did.
func idempotentFromContext(ctx context.Context) (value, ok bool) {
	value, ok = ctx.Value(idempotentKey{}).(bool)
	return value, ok
}

// Idempotent reports whether running the request twice is harmless, as a Transport without options decides it. Yes: the context
// says so (ContextWithIdempotent); the action only reads (Describe, List, Get, Search, Inquiry, Inquire, LookUp or Query, less the few
// that have effects all the same); the call has a ClientToken that is not empty, or an Idempotency-Key or X-Idempotency-Key header;
// or it is no call of the API, and its method is idempotent by RFC 9110. Everything else is not: API 3.0 lets GET run any action.
//
// The body is read through GetBody only, up to 10 MiB of it; req.Body stays as it is. A body without GetBody is not looked at.
func Idempotent(req *http.Request) bool {
	return idempotencyRules{}.mayRunTwice(req, targetOf(req), req.GetBody)
}

// idempotencyRules has what the caller knows of actions: path.Match patterns on "Action", or on "service:Action".
type idempotencyRules struct{ idempotent, nonIdempotent []string }

// mayRunTwice decides whether running the call twice is harmless. The function body returns a new reader of the request's body, or nil
// if there is none; it may be nil itself. It is called only if all else has no answer.
func (r idempotencyRules) mayRunTwice(req *http.Request, target Target, body func() (io.ReadCloser, error)) bool {
	if idempotent, ok := idempotentFromContext(req.Context()); ok {
		return idempotent
	}
	if target.Action != "" {
		switch {
		case matchesAction(r.nonIdempotent, target):
			return false
		case matchesAction(r.idempotent, target), isReadAction(target.Service, target.Action):
			return true
		}
	} else if idempotentMethod(req.Method) {
		return true
	}
	return req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != "" || hasClientToken(req, body)
}

func matchesAction(patterns []string, target Target) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		name := target.Action
		if strings.Contains(pattern, ":") {
			name = target.Service + ":" + target.Action
		}
		matched, err := path.Match(pattern, name)
		return matched && err == nil
	})
}

// idempotentMethod is RFC 9110, 9.2.2. The empty method is GET to net/http.
func idempotentMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// readVerbs begin the names of actions that only read. Source: the 11,300 actions of the Tencent Cloud Go SDK.
var readVerbs = []string{"Describe", "Get", "Inquire", "Inquiry", "List", "LookUp", "Query", "Search"}

// isReadAction tells whether the action's name says that it only reads, and the name is not known to mislead. A call whose
// service is unknown may be any service's.
func isReadAction(service, action string) bool {
	if !hasReadVerb(action) {
		return false
	}
	return !slices.ContainsFunc(readExceptions, func(exception string) bool {
		its, name, _ := strings.Cut(exception, ":")
		return name == action && (its == service || service == "")
	})
}

func hasReadVerb(action string) bool {
	return slices.ContainsFunc(readVerbs, func(verb string) bool {
		rest, ok := strings.CutPrefix(action, verb)
		return ok && rest != "" && (isCapital(rest[0]) || '0' <= rest[0] && rest[0] <= '9')
	})
}

// maxTokenBody is how much of a body is searched for a ClientToken: as much as the API accepts of a request.
const maxTokenBody = 10 << 20

// hasClientToken tells whether the call has a ClientToken that is not empty, by which the service knows a call that it ran before:
// in the query, in a form or at the top level of a JSON body, wherever the action's parameters are.
func hasClientToken(req *http.Request, body func() (io.ReadCloser, error)) bool {
	if req.URL != nil && strings.Contains(req.URL.RawQuery, "ClientToken") && req.URL.Query().Get("ClientToken") != "" {
		return true
	}
	form := isForm(req)
	if body == nil || !form && !isJSON(req.Header.Get("Content-Type")) || req.ContentLength > maxTokenBody {
		return false
	}
	reader, err := body()
	if reader == nil || err != nil {
		return false
	}
	defer reader.Close()
	content, err := io.ReadAll(io.LimitReader(reader, maxTokenBody+1))
	if err != nil || len(content) > maxTokenBody {
		return false
	}
	if form {
		parameters, err := url.ParseQuery(string(content))
		return err == nil && parameters.Get("ClientToken") != ""
	}
	return hasJSONToken(content)
}

// hasJSONToken looks at the top level only: a ClientToken deeper down belongs to something else. Of several, the last one counts.
func hasJSONToken(content []byte) bool {
	if !json.Valid(content) {
		return false
	}
	token := ""
	jsonMembers(content, func(key string, value []byte) bool {
		if key == "ClientToken" {
			token = jsonString(value)
		}
		return true
	})
	return token != ""
}
