package tencenthttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tc3Scheme is the authentication scheme of signature v3.
const tc3Scheme = "TC3-HMAC-SHA256"

// authorization is what a TC3-HMAC-SHA256 header says, but for the signature itself:
//
//	TC3-HMAC-SHA256 Credential=SecretId/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=hex
type authorization struct {
	secretID      string
	date          string // UTC
	service       string
	signedHeaders string
}

// parseAuthorization reads a header of signature v3. It returns false for any other header, and for one without a whole Credential.
func parseAuthorization(header string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, tc3Scheme)
	if !ok || rest == "" || rest[0] != ' ' {
		return authorization{}, false
	}
	var a authorization
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case name == "Credential" && a.secretID == "":
			a.secretID, a.date, a.service, ok = splitCredential(value)
			if !ok || a.secretID == "" {
				return authorization{}, false
			}
		case name == "SignedHeaders":
			a.signedHeaders = value
		}
	}
	if a.secretID == "" {
		return authorization{}, false
	}
	return a, true
}

// splitCredential reads SecretId/Date/service/tc3_request from its end: nobody says that a SecretId has no slash.
func splitCredential(credential string) (secretID, date, service string, ok bool) {
	scope, ok1 := strings.CutSuffix(credential, "/tc3_request")
	scope, service, ok2 := cutLast(scope, '/')
	secretID, date, ok3 := cutLast(scope, '/')
	return secretID, date, service, ok1 && ok2 && ok3
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
