package tencenthttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tc3Scheme is the authentication scheme of signature v3.
const tc3Scheme = "TC3-HMAC-SHA256"

// credential is what the Credential of an Authorization header says: SecretId/Date/service/tc3_request.
type credential struct {
	secretID string
	date     string // UTC, as 2006-01-02
	service  string
}

// parseAuthorization reads the credential of a TC3-HMAC-SHA256 header. It returns false for any other header, and for one that is not whole.
func parseAuthorization(header string) (credential, bool) {
	rest, ok := strings.CutPrefix(header, tc3Scheme)
	if !ok || rest == "" || rest[0] != ' ' {
		return credential{}, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		scope, ok := strings.CutPrefix(strings.TrimSpace(field), "Credential=")
		if !ok {
			continue
		}
		// The SecretId may hold a slash, so the scope is read from its end.
		scope, ok = strings.CutSuffix(scope, "/tc3_request")
		before, service, ok2 := cutLast(scope, '/')
		secretID, date, ok3 := cutLast(before, '/')
		if !ok || !ok2 || !ok3 || secretID == "" {
			return credential{}, false
		}
		return credential{secretID: secretID, date: date, service: service}, true
	}
	return credential{}, false
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if at := strings.LastIndexByte(s, sep); at >= 0 {
		return s[:at], s[at+1:], true
	}
	return s, "", false
}

// maxSignatureAge is how old a signature may be when it is sent once more. The service accepts 300 s either way; 30 s are left
// for the way and for clocks that differ a little.
const maxSignatureAge = 270 * time.Second

// signatureTooOld tells whether the request's TC3 signature would be too old at that time. A request without one is never too old.
func signatureTooOld(req *http.Request, at time.Time) bool {
	if !strings.HasPrefix(headerValue(req.Header, "Authorization"), tc3Scheme) {
		return false
	}
	seconds, err := strconv.ParseInt(headerValue(req.Header, "X-Tc-Timestamp"), 10, 64)
	return err == nil && at.Sub(time.Unix(seconds, 0)) > maxSignatureAge
}
