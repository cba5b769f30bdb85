package tctest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// The service's limits on requests: 32 KiB in a GET, 1 MiB with signature v1.
const (
	maxQuery  = 32 << 10
	maxBodyV1 = 1 << 20
)

// front is what stands in front of the service: it turns away what a load balancer or the signature check turns away.
func (x *exchange) front() (Answer, bool) {
	r := &x.req
	switch {
	case x.fate == unavailable:
		return Unavailable(), true
	case errors.Is(x.broken, errTooLarge):
		return errorPage(http.StatusRequestEntityTooLarge), true
	case x.broken != nil:
		return errorPage(http.StatusBadRequest), true
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return FailWith("UnsupportedProtocol", "Only GET and POST requests are supported."), true
	case len(r.query) > maxQuery, r.Form.Has("Signature") && len(r.Body) > maxBodyV1:
		return FailWith("RequestSizeLimitExceeded", "The request is larger than the service accepts."), true
	}
	if ans, refused := x.api.authenticate(r); refused {
		return ans, true
	}
	if x.api.isStrict() && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && len(r.Body) > 0 && !json.Valid(r.Body) {
		return FailWith("InvalidParameter", "The request body is not valid JSON."), true
	}
	return Answer{}, false
}

func (a *API) isStrict() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.strict
}

func errorPage(status int) Answer {
	title := http.StatusText(status)
	return Raw(status, "text/html", "<html>\r\n<head><title>"+title+"</title></head>\r\n<body><center><h1>"+title+"</h1></center></body>\r\n</html>\r\n")
}
