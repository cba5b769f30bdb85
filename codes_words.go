package tencenthttp

import "sync"

// hints is a set of what the words of a code may say.
type hints uint16

const (
	hintNever     hints = 1 << iota // it cannot help: something is missing, wrong, there already, not allowed, not paid for
	hintThrottled                   // too many calls in a time
	hintBusy                        // refused because something else is going on
	hintLimit                       // a quota is used up, or a size is out of bounds
	hintBroken                      // the server says outright that it failed
	hintFault                       // something that the server depends on failed
	hintAct                         // the verb at the beginning is what failed
	hintState                       // something is in the wrong state, or did not pass a check
	hintFailed                      // something failed
	hintError                       // something is in error; it may be the request

	hintPlain = hintNever | hintThrottled | hintBusy | hintLimit | hintBroken // they mean the same after any first segment
	hintAny   = hintPlain | hintFault | hintAct | hintState | hintFailed | hintError
)

// hintOf says what an entry of the tables below means.
var hintOf = sync.OnceValue(func() map[string]hints {
	entries := make(map[string]hints, 512)
	for i, table := range wordTables {
		for _, words := range table {
			entries[words] = 1 << i
		}
	}
	return entries
})

// wordHints returns all that the words of name say.
func wordHints(name string) hints {
	var (
		textSpace [128]byte // these stay on the stack
		endsSpace [32]int
		entries   = hintOf()
		said      hints
	)
	text, ends := splitWords(name, textSpace[:0], endsSpace[:0])
	for start, i := 0, 0; i < len(ends); {
		used := 1
		for n := min(longestEntry, len(ends)-i); n > 0; n-- {
			if h, ok := entries[string(text[start:ends[i+n-1]])]; ok {
				if h != hintAct || i == 0 {
					said |= h
				}
				used = n
				break
			}
		}
		i += used
		start = ends[i-1] + 1
	}
	return said
}

// splitWords appends the words of name to text, in lower case with a space after each, and the end of each to ends. A word
// begins at a capital after anything else, at the last capital of several (CLSTopic: cls topic), and after a dot or an underscore.
func splitWords(name string, text []byte, ends []int) ([]byte, []int) {
	endWord := func() {
		if len(text) > 0 && text[len(text)-1] != ' ' {
			ends = append(ends, len(text))
			text = append(text, ' ')
		}
	}
	for i := range len(name) {
		switch c := name[i]; {
		case isCapital(c):
			if i > 0 && (!isCapital(name[i-1]) || i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z') {
				endWord()
			}
			text = append(text, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			text = append(text, c)
		default:
			endWord()
		}
	}
	endWord()
	return text, ends
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// longestEntry is the number of words in the longest entry.
const longestEntry = 4

// wordTables has one table for each hint, in the order of the hints. An entry of several words means these words in a row. Where
// several entries match at a word, the longest counts and takes its words away from the others: "not ready" is no "not".
// Source: the names and descriptions of the error codes of the Tencent Cloud Go SDK, with the misspellings that occur.
var wordTables = [...][]string{
	neverWords, throttledWords, busyWords, limitWords, brokenWords, faultWords, actWords, stateWords, failedWords, errorWords,
}

var neverWords = []string{
	"account is locked", "account locked", "already", "archived", "argument", "arguments", "arrear", "arrears",
	"associated", "attached", "bad", "balance", "banned", "binded", "black list", "blacklist", "blocked", "bound",
	"can not", "cannot", "certification", "closed", "config locked", "conflict", "conflicts", "control locked", "daily",
	"day", "deal locked", "delete last", "deleted", "denied", "deny", "deprecated", "destroyed", "detach last",
	"disabled", "discontinued", "domain is locked", "domain locked", "duplicate", "duplicated", "duplication", "empty",
	"exist", "existed", "existing", "exists", "expire", "expired", "forbid", "forbidden", "format error", "freeze",
	"frozen", "funds", "grammar", "group locked", "has in", "host is locked", "hour", "id unknown", "illegal",
	"in isolating", "in use", "inactive", "inconsistency", "inconsistent", "incorrect", "insufficient", "invali",
	"invalid", "isolated", "lack", "larger than", "less than", "license", "linked", "lock timeout", "locked time",
	"login", "lost", "malformed", "mismatch", "mismatched", "miss", "missing", "money", "month", "monthly", "must",
	"name error", "need", "needs", "no", "none", "not", "null", "occupied", "offline", "only", "order locked",
	"out of credit", "out of range", "out of service", "out range", "overdue", "overlap", "oversize", "owed", "param",
	"parameter", "parameters", "params", "password", "permission", "permissions", "prohibit", "prohibited", "protection",
	"refuse", "refused", "reject", "rejected", "remained", "repeat", "repeated", "require", "required", "requires",
	"restricted", "restriction", "revoked", "risk", "sale out", "same", "sell out", "sold out", "stopped", "suspended",
	"syntax", "system field", "terminated", "too big", "too large", "too long", "too short", "too small", "toolarge",
	"type error", "un", "unable", "unauthenticated", "unauthorized", "unavailable", "unpaid", "unsuported", "unsupport",
	"unsupported", "unverified", "use", "used", "user already locked", "user is locked", "user locked", "using",
	"verification", "verify", "wrong",
}

var throttledWords = []string{
	"action limited", "frequency limit", "frequency limited", "frequent", "frequently", "often", "ooften", "oten", "qps",
	"rate exceeded", "rate limit", "rate limited", "request limit", "requests limit", "slow down", "throttle",
	"throttled", "throttling", "too fast", "too many calls", "too many requests", "too quickly", "traffic limit",
}

var busyWords = []string{
	"action conflict", "already locked", "already running", "another create process", "another operation",
	"another process", "another request", "another task", "been locked", "busy", "cloning", "concurrent conflict",
	"conflict action", "conflict operation", "copy snapshot conflict", "copying", "creating", "deal conflict",
	"deploying", "executing", "exit rescue mode", "flow conflict", "has task", "in activity", "in cloning",
	"in executing", "in migration", "in operating", "in operation", "in process", "in processing", "in progress",
	"in refresh activity", "in transition", "in upgrade", "initialization", "initializing", "is doing", "live migrate",
	"loading", "lock", "lock conflict", "locked", "locker", "locker conflict", "locking", "migrating", "modifying",
	"modifying share permission", "mutex", "not complete", "not completed", "not finish", "not finished",
	"not in stable", "not ready", "operate later", "operating", "operation conflict", "operation in conflict",
	"other oder", "other operation", "other order", "other process", "other request", "pending record",
	"process running", "processing", "protection deploying", "publishing", "rebooting", "restarting", "restoring",
	"rollbacking", "starting", "state conflict", "state isolating", "state pending", "status conflict", "stopping",
	"switching", "synchronizing", "syncing", "task conflict", "task running", "tasks running", "temporarily",
	"temporary", "temporary unavailable", "un finished", "unfinished", "uninitialized", "unstable", "updating",
	"upgrade task status", "upgrading", "wait for",
}

var limitWords = []string{
	"above", "exceed", "exceeded", "exceeding", "exceeds", "full", "limit", "limitation", "limited", "limits", "max",
	"maximum", "out of quota", "over", "quota max", "reach", "reached", "threshold", "too many", "too much",
}

var brokenWords = []string{
	"action error", "backend error", "bad gateway", "default internal error", "gateway timeout", "http error",
	"inner common", "inner error", "inner service", "inner system", "interface error", "internal err", "internal error",
	"internal exception", "internal failure", "internal inner", "internal request", "internal server",
	"internal service", "internal system", "internal trade error", "invalid error code", "server error",
	"server exception", "service exception", "service not available", "service unavailable", "system err",
	"system error", "system exception", "system failure", "undefined error", "unexpected", "unhandled", "unknow error",
	"unknown err", "unknown error", "unknown exception",
}

var faultWords = []string{
	"access error", "access failed", "api error", "api fail", "async error", "async request", "backend", "call",
	"callback", "can not conn", "can not connect", "can not get", "cannot access", "cannot connect", "cannot get", "cgw",
	"client", "cloud service", "component", "connect", "connection", "count not match", "data base", "database", "db",
	"deliver", "delivery", "dependence", "dependency", "depends", "external service", "feign", "gateway error", "gcs",
	"get auth", "http", "infrastructure", "invocation", "invoke", "io error", "kube", "net work", "network",
	"no connection", "not accessible", "not ok", "not response", "oss", "overtime", "remote", "request error",
	"request failed", "response", "response empty", "rpc", "send request", "server", "service access", "service error",
	"sql error", "third party", "time out", "timed out", "timeout", "transaction", "transfer", "trpc", "unmarshal",
	"vendor",
}

var actWords = []string{
	"access", "add", "apply", "associate", "attach", "bind", "build", "cancel", "clear", "commit", "create", "delete",
	"deploy", "describe", "destroy", "detach", "disable", "disassociate", "dispatch", "download", "enable", "export",
	"failed to", "fetch", "generate", "get", "import", "init", "inquire", "inquiry", "insert", "install", "list", "load",
	"modify", "open", "operate", "pay", "post", "preview", "process", "publish", "push", "query", "quit", "read",
	"receive", "recover", "redo", "refund", "register", "release", "remove", "renew", "replace", "reset", "restart",
	"revoke", "run", "save", "search", "send", "set", "start", "stop", "submit", "switch", "sync", "un bind", "un tag",
	"unbind", "untag", "update", "upload", "write",
}

var stateWords = []string{
	"abnormal", "analysis", "auth", "authenticate", "authenticated", "authentication", "authorization", "authorize",
	"authorized", "certificate", "charge type", "check", "decode", "domain error", "id error", "mapping", "parse",
	"parsing", "path", "precondition", "resolve", "size", "state", "status", "unhealth", "unhealthy", "validate",
	"validation", "version", "zone error",
}

var failedWords = []string{
	"exception", "fail", "faild", "failed", "failure", "falied",
}

var errorWords = []string{
	"common", "err", "error", "errors",
}
