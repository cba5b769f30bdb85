package tencenthttp

import (
	"cmp"
	"slices"
	"strings"
)

// ClassifyCode returns the verdict on an API error code, such as "RequestLimitExceeded" or "FailedOperation.InstanceNotReady".
// It is what Classify asks about the code of an envelope.
//
// A code is a first segment, which names the kind of the failure, and mostly a sub-code, which names the failure itself and often
// contradicts the kind. Three questions are asked, and the first that has an answer decides: is the code, or a dotted prefix
// of it, one of the exceptions; what do the words of the sub-code say (NotFound, InProgress, TooFrequent, Timeout); what does
// the first segment say. All three come from reading the descriptions of the 9,900 codes that the Tencent Cloud SDK documents.
//
// The verdict is one of these:
//
//   - retryable and Throttled: refused because there were too many calls;
//   - retryable: refused because another operation was going on, or something was not ready yet;
//   - retryable with Fault: InternalError and the other kinds that mean a failure of the server;
//   - idempotent: it failed on the way and may have run in part, with Fault where the name blames the server;
//   - fatal: all the rest, the empty code and codes that nobody knows among it.
//
// RetryAfter is always zero. WithCode does not change what ClassifyCode says. It is safe for concurrent use.
func ClassifyCode(code string) Verdict { return codeVerdict(code, nil) }

// maxCode bounds the work on what a server may call a code. The longest documented one has 89 bytes.
const maxCode = 256

// codeVerdict is ClassifyCode with the caller's own entries (WithCode). The longest dotted prefix wins between those and the
// exceptions, the caller's where both are of the same length; either beats what the words say.
func codeVerdict(code string, overrides map[string]Verdict) Verdict {
	code = code[:min(len(code), maxCode)]
	for prefix := code; prefix != ""; prefix = parentCode(prefix) {
		if v, ok := overrides[prefix]; ok {
			return v
		}
		if v, ok := lookUp(codeExceptions, prefix); ok {
			return v
		}
	}
	first, sub, hasSub := strings.Cut(code, ".")
	kind := kindOf(first)
	if !hasSub {
		return kind.bare
	}
	return kind.judge(wordHints(sub))
}

// parentCode returns the code without its last segment, "" if it has only one.
func parentCode(code string) string { return code[:max(strings.LastIndexByte(code, '.'), 0)] }

// codeEntry is a row of a table that is sorted by code.
type codeEntry[T any] struct {
	code string
	is   T
}

func lookUp[T any](table []codeEntry[T], code string) (is T, ok bool) {
	i, ok := slices.BinarySearchFunc(table, code, func(e codeEntry[T], code string) int { return cmp.Compare(e.code, code) })
	if ok {
		is = table[i].is
	}
	return is, ok
}

// The verdicts that a code can have.
var (
	throttled   = Verdict{Class: ClassRetryable, Throttled: true}
	busy        = Verdict{Class: ClassRetryable}
	serverFault = Verdict{Class: ClassRetryable, Fault: true}
	faultMidway = Verdict{Class: ClassIdempotent, Fault: true}
	mayHaveRun  = Verdict{Class: ClassIdempotent}
	fatal       = Verdict{Class: ClassFatal}
)

// codeKind is what a code's first segment says.
type codeKind struct {
	bare  Verdict // the code without a sub-code
	other Verdict // a sub-code whose words say nothing
	fault Verdict // a sub-code whose words blame the server
	heeds hints   // the hints of a sub-code that count: "Timeout" in InvalidParameter.Timeout is a parameter's name
}

// Most sub-codes of FailedOperation, ResourceInUse and ResourceUnavailable name something that no retry changes. So where their
// words do not say that something failed or will pass, they are fatal: of the 140 documented ones of this sort, about 100 are.
var (
	kindBusy      = codeKind{bare: busy, other: busy, fault: faultMidway, heeds: hintNever | hintThrottled}
	kindFailed    = codeKind{bare: mayHaveRun, other: fatal, fault: faultMidway, heeds: hintAny}
	kindInUse     = codeKind{bare: mayHaveRun, other: fatal, fault: faultMidway, heeds: hintAny &^ (hintAct | hintError)}
	kindRefused   = codeKind{bare: fatal, other: fatal, fault: faultMidway, heeds: hintPlain | hintState | hintFailed}
	kindRequest   = codeKind{bare: fatal, other: fatal, fault: faultMidway, heeds: hintPlain}
	kindServer    = codeKind{bare: serverFault, other: serverFault, fault: serverFault, heeds: hintPlain}
	kindThrottled = codeKind{bare: throttled, other: throttled, fault: throttled, heeds: hintNever}
)

// codeKinds has the first segments that the API's page on common errors documents, and those of single services that say more than
// that the request was wrong. Source: testdata/common_codes.csv and the error codes of the Tencent Cloud Go SDK.
var codeKinds = []codeEntry[codeKind]{
	{"AuthFailure", kindRequest},
	{"CallCvmError", kindServer},
	{"CdbError", kindServer},
	{"DBError", kindServer},
	{"DryRunOperation", kindRequest},
	{"FailedOperation", kindFailed},
	{"FlowError", kindServer},
	{"InternalError", kindServer},
	{"InternalServerError", kindServer},
	{"InvalidAction", kindRequest},
	{"InvalidParameter", kindRequest},
	{"InvalidParameterValue", kindRequest},
	{"LimitExceeded", kindRequest},
	{"MissingParameter", kindRequest},
	{"MutexOperation", kindBusy},
	{"NoSuchVersion", kindRequest},
	{"OperationDenied", kindRefused},
	{"RequestLimitExceeded", kindThrottled},
	{"ResourceBusy", kindBusy},
	{"ResourceInUse", kindInUse},
	{"ResourceInsufficient", kindRequest},
	{"ResourceNotFound", kindRequest},
	{"ResourceUnavailable", kindInUse},
	{"SecGroupActionFailure", kindServer},
	{"SystemError", kindServer},
	{"TradeDealConflict", kindBusy},
	{"UnauthorizedOperation", kindRequest},
	{"UnknownError", kindServer},
	{"UnknownParameter", kindRequest},
	{"UnsupportedOperation", kindRefused},
	{"UnsupportedProtocol", kindRequest},
	{"UnsupportedRegion", kindRequest},
	{"VpcError", kindServer},
}

// kindOf returns the kind that a first segment names. One that is not listed is judged by its own words, if they are plain.
func kindOf(first string) codeKind {
	if kind, ok := lookUp(codeKinds, first); ok {
		return kind
	}
	switch h := wordHints(first); {
	case h&hintNever != 0:
	case h&hintThrottled != 0:
		return kindThrottled
	case h&hintBusy != 0:
		return kindBusy
	case h&hintBroken != 0:
		return kindServer
	}
	return kindRequest
}

// judge weighs the hints of a sub-code, the strongest first. A quota comes after the throttles, which have words like
// LimitExceeded in them, and a state after the verbs: DescribeInstanceStatus failed to look, it did not find the wrong status.
func (k codeKind) judge(h hints) Verdict {
	switch h &= k.heeds; {
	case h&hintNever != 0:
		return fatal
	case h&hintThrottled != 0:
		return throttled
	case h&hintBusy != 0:
		return busy
	case h&hintLimit != 0:
		return fatal
	case h&(hintBroken|hintFault) != 0:
		return k.fault
	case h&hintAct != 0:
		return mayHaveRun
	case h&hintState != 0:
		return fatal
	case h&(hintFailed|hintError) != 0:
		return mayHaveRun
	}
	return k.other
}
