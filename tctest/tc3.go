package tctest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// verifyTC3 checks a TC3-HMAC-SHA256 signature whose time is right. It returns the refusal, or false if there is none.
//
// The documentation wants the signed header values in lower case and the query sorted; the official SDKs send neither always,
// and the service takes what they send. So both readings are accepted, and any mixture of them.
func verifyTC3(r *Request, key string, timestamp int64) (Answer, bool) {
	date := time.Unix(timestamp, 0).UTC().Format(time.DateOnly)
	signed := strings.Split(r.auth.signedHeaders, ";")
	switch {
	case r.auth.secretID == "":
		return refuseSignature("The Authorization is malformed."), true
	case r.auth.date != date:
		return refuseSignature("The date in the credential scope is not the one of X-TC-Timestamp."), true
	case isTencent(r.Host) && r.auth.service != firstLabel(r.Host):
		return refuseSignature("The service in the credential scope is not the one of the host."), true
	case !slices.Contains(signed, "content-type") || !slices.Contains(signed, "host"):
		return refuseSignature("The headers content-type and host must be signed."), true
	}
	signingKey := deriveKey(key, date, r.auth.service)
	for _, query := range canonicalQueries(r.query) {
		for _, lower := range [...]bool{false, true} {
			toSign := stringToSign(r, canonicalRequest(r, query, signed, lower))
			if hmac.Equal([]byte(r.auth.signature), []byte(hex.EncodeToString(sum(signingKey, toSign)))) {
				return Answer{}, false
			}
		}
	}
	return refuseSignature("Please check your SecretKey and the way the request is signed."), true
}

func canonicalRequest(r *Request, query string, signed []string, lower bool) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n/\n" + query + "\n")
	for _, name := range signed {
		value := strings.TrimSpace(strings.Join(r.Header.Values(name), ","))
		if name == "host" {
			value = r.Host
		}
		if lower {
			value = strings.ToLower(value)
		}
		b.WriteString(name + ":" + value + "\n")
	}
	payload := r.Body
	if r.Header.Get("X-Tc-Content-Sha256") == unsignedPayload {
		payload = []byte(unsignedPayload)
	}
	hash := sha256.Sum256(payload)
	b.WriteString("\n" + r.auth.signedHeaders + "\n" + hex.EncodeToString(hash[:]))
	return b.String()
}

func stringToSign(r *Request, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	return algorithmTC3 + "\n" + r.Header.Get("X-Tc-Timestamp") + "\n" + r.auth.scope() + "\n" + hex.EncodeToString(hash[:])
}

func deriveKey(key, date, service string) []byte {
	return sum(sum(sum([]byte("TC3"+key), date), service), "tc3_request")
}

func sum(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// canonicalQueries returns the readings of a query that a client may have signed: as it was sent; sorted, in form encoding,
// where a space is a plus; the same in the encoding of RFC 3986.
func canonicalQueries(raw string) []string {
	if raw == "" {
		return []string{""}
	}
	values, _ := url.ParseQuery(raw)
	form := values.Encode()
	return []string{raw, form, strings.ReplaceAll(form, "+", "%20")}
}

// query returns the raw query of a request; a POST signs an empty one.
func query(h *http.Request) string {
	if h.Method == http.MethodPost {
		return ""
	}
	return h.URL.RawQuery
}
