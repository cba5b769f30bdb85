package tencenthttp

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Signer signs a request. TC3Signer makes the usual one.
type Signer interface {
	// Sign sets the headers that authenticate req, as of the time at, and may change nothing else of it. The request and its
	// header are the signer's to write to. The body, if it is needed, is read through req.GetBody; req.Body stays as it is.
	Sign(req *http.Request, at time.Time) error
}

// TC3Signer returns a Signer with signature v3, TC3-HMAC-SHA256. It asks the provider anew for each signature, so credentials
// that refresh themselves are followed.
//
// A request that carries such a signature keeps its service, its SignedHeaders and UNSIGNED-PAYLOAD. One without gets
// content-type;host, and the service that its host's first label names. The region, the action and all other headers are left alone.
// X-TC-Token is set, or removed, as the credentials say.
func TC3Signer(provider CredentialProvider) Signer { return &tc3Signer{provider: provider} }

type tc3Signer struct {
	provider CredentialProvider
	derived  atomic.Pointer[derivedKey] // the last one used
}

// blocks tells whether signing may take longer than a computation.
func (s *tc3Signer) blocks() bool { _, ok := s.provider.(atHand); return !ok }

// derivedKey is what a secret key signs with, for a service and for a day.
type derivedKey struct {
	secretKey, date, service string
	key                      []byte
}

const (
	unsignedPayload      = "UNSIGNED-PAYLOAD"
	defaultSignedHeaders = "content-type;host"
)

var errNoService = errors.New("tencenthttp: no service to sign for: the host does not name it, and the request has no signature that does")

// Sign implements Signer.
func (s *tc3Signer) Sign(req *http.Request, at time.Time) error {
	keys, err := askCredentials(req.Context(), s.provider)
	if err != nil {
		return fmt.Errorf("tencenthttp: the credential provider failed: %w", err)
	}
	if keys.SecretID == "" || keys.SecretKey == "" {
		return errors.New("tencenthttp: the credential provider gave no SecretId or no SecretKey")
	}
	original, _ := parseAuthorization(headerValue(req.Header, "Authorization"))
	service, signedHeaders := original.service, original.signedHeaders
	if service == "" {
		service = firstLabel(hostOf(req))
	}
	if service == "" {
		return errNoService
	}
	if signedHeaders == "" {
		signedHeaders = defaultSignedHeaders
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	canonical, err := canonicalRequest(req, signedHeaders)
	if err != nil {
		return err
	}
	date := at.UTC().Format(time.DateOnly)
	scope := date + "/" + service + "/tc3_request"
	text := make([]byte, 0, 512)
	for _, part := range [...]string{tc3Scheme, "\n", timestamp, "\n", scope, "\n"} {
		text = append(text, part...)
	}
	text = hex.AppendEncode(text, canonical[:])
	signature := hmacSHA256(s.key(keys.SecretKey, date, service), text)

	text = text[:0]
	for _, part := range [...]string{tc3Scheme, " Credential=", keys.SecretID, "/", scope, ", SignedHeaders=", signedHeaders, ", Signature="} {
		text = append(text, part...)
	}
	values := [...]string{timestamp, string(hex.AppendEncode(text, signature)), keys.Token}
	setHeader(req.Header, "X-Tc-Timestamp", values[0:1:1])
	setHeader(req.Header, "Authorization", values[1:2:2])
	setHeader(req.Header, "X-Tc-Token", values[2:3:3])
	return nil
}

// key derives the key to sign with. It is the same all day, so the last one is kept.
func (s *tc3Signer) key(secretKey, date, service string) []byte {
	if d := s.derived.Load(); d != nil && d.secretKey == secretKey && d.date == date && d.service == service {
		return d.key
	}
	d := &derivedKey{secretKey: secretKey, date: date, service: service}
	d.key = hmacSHA256(hmacSHA256(hmacSHA256([]byte("TC3"+secretKey), []byte(date)), []byte(service)), []byte("tc3_request"))
	s.derived.Store(d)
	return d.key
}

// canonicalRequest returns the hash of the canonical request.
func canonicalRequest(req *http.Request, signedHeaders string) ([sha256.Size]byte, error) {
	payload, err := payloadHash(req)
	if err != nil {
		return payload, err
	}
	text := make([]byte, 0, 512)
	for _, part := range [...]string{cmp.Or(req.Method, http.MethodGet), "\n/\n", canonicalQuery(req), "\n"} {
		text = append(text, part...)
	}
	for name := range strings.SplitSeq(signedHeaders, ";") {
		for _, part := range [...]string{name, ":", canonicalHeader(req, name), "\n"} {
			text = append(text, part...)
		}
	}
	for _, part := range [...]string{"\n", signedHeaders, "\n"} {
		text = append(text, part...)
	}
	return sha256.Sum256(hex.AppendEncode(text, payload[:])), nil
}

// canonicalQuery is the query in the order of its keys and in url.Values' encoding, as the SDK has it. The query of a POST is not signed.
func canonicalQuery(req *http.Request) string {
	if req.Method == http.MethodPost || req.URL == nil || req.URL.RawQuery == "" {
		return ""
	}
	values, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return req.URL.RawQuery
	}
	return values.Encode()
}

// canonicalHeader is a header's value, without space around it. The documentation wants it in lower case; the SDK leaves content-type
// (with its boundary) and host, which are all that it signs, as they are.
func canonicalHeader(req *http.Request, name string) string {
	switch name {
	case "host":
		if req.Host != "" {
			return req.Host
		}
		return hostOf(req)
	case "content-type":
		return strings.TrimSpace(headerValue(req.Header, "Content-Type"))
	}
	return strings.ToLower(strings.TrimSpace(headerValue(req.Header, http.CanonicalHeaderKey(name))))
}

var (
	emptyHash           = sha256.Sum256(nil)
	unsignedPayloadHash = sha256.Sum256([]byte(unsignedPayload))
	errNoBodyToHash     = errors.New("tencenthttp: a body without GetBody cannot be signed")
)

// payloadHash returns the hash of the body, or of the word that says that the body is not signed. The body is hashed as it streams
// by; it is never held whole.
func payloadHash(req *http.Request) (sum [sha256.Size]byte, err error) {
	switch {
	case headerValue(req.Header, "X-Tc-Content-Sha256") == unsignedPayload:
		return unsignedPayloadHash, nil
	case !hasBody(req):
		return emptyHash, nil
	case req.GetBody == nil:
		return sum, errNoBodyToHash
	}
	body, err := req.GetBody()
	if err != nil {
		return sum, fmt.Errorf("tencenthttp: the body to sign: %w", err)
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil {
		return sum, fmt.Errorf("tencenthttp: the body to sign: %w", err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

func hmacSHA256(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// setHeader sets a header, given in its canonical form, whatever form the request had it in; an empty value removes it.
func setHeader(header http.Header, key string, value []string) {
	if rest, ok := strings.CutPrefix(key, "X-Tc-"); ok {
		delete(header, "X-TC-"+rest)
	}
	if value[0] == "" {
		delete(header, key)
		return
	}
	header[key] = value
}
