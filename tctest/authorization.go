package tctest

import "strings"

const algorithmTC3 = "TC3-HMAC-SHA256"

// authorization is the Authorization header of signature v3:
//
//	TC3-HMAC-SHA256 Credential=ID/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=hex
type authorization struct {
	secretID, date, service string
	signedHeaders           string
	signature               string
}

// scope returns what the signature calls the credential scope.
func (a authorization) scope() string { return a.date + "/" + a.service + "/tc3_request" }

// parseAuthorization takes the header apart. It returns false if anything is missing, double or unknown.
func parseAuthorization(header string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, algorithmTC3)
	if !ok || rest == "" || rest[0] != ' ' {
		return authorization{}, false
	}
	var credential string
	var a authorization
	for more := true; more; {
		var field string
		field, rest, more = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var into *string
		switch name {
		case "Credential":
			into = &credential
		case "SignedHeaders":
			into = &a.signedHeaders
		case "Signature":
			into = &a.signature
		}
		if into == nil || *into != "" || value == "" {
			return authorization{}, false
		}
		*into = value
	}
	if a.signedHeaders == "" || a.signature == "" {
		return authorization{}, false
	}
	var tail string
	a.secretID, tail, _ = strings.Cut(credential, "/")
	a.date, tail, _ = strings.Cut(tail, "/")
	a.service, tail, _ = strings.Cut(tail, "/")
	if a.secretID == "" || a.date == "" || a.service == "" || tail != "tc3_request" {
		return authorization{}, false
	}
	return a, true
}
