package tctest

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"maps"
	"slices"
	"strings"
)

// verifyV1 checks a signature v1 (HmacSHA1 or HmacSHA256 over method, host, path and the sorted, unencoded parameters). It
// returns the refusal, or false if there is none.
func verifyV1(r *Request, key string) (Answer, bool) {
	var algorithm func() hash.Hash
	switch r.Form.Get("SignatureMethod") {
	case "", "HmacSHA1":
		algorithm = sha1.New
	case "HmacSHA256":
		algorithm = sha256.New
	default:
		return refuseSignature("The SignatureMethod is neither HmacSHA1 nor HmacSHA256."), true
	}
	var params []string
	for _, name := range slices.Sorted(maps.Keys(r.Form)) {
		if name != "Signature" {
			params = append(params, name+"="+r.Form.Get(name))
		}
	}
	mac := hmac.New(algorithm, []byte(key))
	mac.Write([]byte(r.Method + r.Host + "/?" + strings.Join(params, "&")))
	if !hmac.Equal([]byte(r.Form.Get("Signature")), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)))) {
		return refuseSignature("Please check your SecretKey and the way the request is signed."), true
	}
	return Answer{}, false
}
