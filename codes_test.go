package tencenthttp

import (
	"encoding/csv"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClassifyCode_commonCodes(t *testing.T) {
	want := map[string]Verdict{
		"AuthFailure.InvalidSecretId":       fatal,
		"AuthFailure.MFAFailure":            fatal,
		"AuthFailure.SecretIdNotFound":      fatal,
		"AuthFailure.SignatureExpire":       fatal,
		"AuthFailure.SignatureFailure":      fatal,
		"AuthFailure.TokenFailure":          fatal,
		"AuthFailure.UnauthorizedOperation": fatal,
		"DryRunOperation":                   fatal,
		"FailedOperation":                   {Class: ClassIdempotent},
		"InternalError":                     {Class: ClassRetryable, Fault: true},
		"InvalidAction":                     fatal,
		"InvalidParameter":                  fatal,
		"InvalidParameterValue":             fatal,
		"LimitExceeded":                     fatal,
		"MissingParameter":                  fatal,
		"NoSuchVersion":                     fatal,
		"RequestLimitExceeded":              {Class: ClassRetryable, Throttled: true},
		"ResourceInUse":                     {Class: ClassIdempotent},
		"ResourceInsufficient":              fatal,
		"ResourceNotFound":                  fatal,
		"ResourceUnavailable":               {Class: ClassIdempotent},
		"UnauthorizedOperation":             fatal,
		"UnknownParameter":                  fatal,
		"UnsupportedOperation":              fatal,
		"UnsupportedProtocol":               fatal,
		"UnsupportedRegion":                 fatal,
	}
	var documented []string
	for _, row := range readTestdata(t, "common_codes.csv") {
		documented = append(documented, row["code"])
	}
	require.ElementsMatch(t, documented, slices.Collect(maps.Keys(want)))
	for _, code := range documented {
		t.Run(code, func(t *testing.T) { assert.Equal(t, want[code], ClassifyCode(code)) })
	}
}

func TestClassifyCode_subCodes(t *testing.T) {
	for _, row := range []struct {
		name string
		want Verdict
		code string
	}{
		{"empty", fatal, ""},
		{"unknown", fatal, "Brand.New"},
		{"a dot", fatal, "."},
		{"a lone dot at the end", fatal, "FailedOperation."},

		{"throttle, its sub-code", throttled, "RequestLimitExceeded.UinLimitExceeded"},
		{"throttle, doubled", throttled, "RequestLimitExceeded.RequestLimitExceeded"},
		{"throttle under a quota", throttled, "LimitExceeded.ActionLimited"},
		{"throttle under a quota", throttled, "LimitExceeded.CdnHostOpTooOften"},
		{"throttle under a quota", throttled, "LimitExceeded.RateLimitExceeded"},
		{"throttle under a quota", throttled, "LimitExceeded.TooFrequentlyCalled"},
		{"throttle under a quota", throttled, "LimitExceeded.TooManyRequests"},
		{"throttle under a failure", throttled, "FailedOperation.ActionOperateTooQuickly"},
		{"throttle under a failure", throttled, "FailedOperation.OperateFrequencyLimitedError"},
		{"throttle under a failure", throttled, "FailedOperation.ReadQpsLimit"},
		{"throttle under a failure", throttled, "FailedOperation.SendVerifyCodeIsLimited"},
		{"throttle under a failure", throttled, "FailedOperation.SlowDown"},
		{"throttle under a wrong request", throttled, "InvalidParameter.OperationIsTooFrequent"},
		{"throttle under a refusal", throttled, "UnauthorizedOperation.OperationTooOften"},
		{"throttle under a refusal", throttled, "UnsupportedOperation.FrequencyLimit"},
		{"throttle as the first segment", throttled, "TooManyRequests.Account"},
		{"quota under a throttle", fatal, "RequestLimitExceeded.BatchTaskLimit"},
		{"quota a day", fatal, "LimitExceeded.CdnPurgeExceedDayLimit"},
		{"duplicate under a throttle", busy, "RequestLimitExceeded.RepeatRequest"},
		{"not there, though it has the word", fatal, "ResourceInUse.RateLimitRuleExistError"},

		{"busy under a failure", busy, "FailedOperation.FunctionDeploying"},
		{"busy under a failure", busy, "FailedOperation.InstanceNotReady"},
		{"busy under a failure", busy, "FailedOperation.ResourceInOperating"},
		{"busy under a fault", busy, "InternalError.LockError"},
		{"busy under a fault", busy, "InternalError.ServerBusy"},
		{"busy under a shortage", busy, "ResourceInsufficient.UpgradeServiceBusy"},
		{"busy under a wrong request", busy, "InvalidDisk.Busy"},
		{"busy under in use", busy, "ResourceInUse.ActivityInProgress"},
		{"busy under unavailable", busy, "ResourceUnavailable.InstanceLockedError"},
		{"busy under unavailable", busy, "ResourceUnavailable.SnapshotCreating"},
		{"busy under refusals", busy, "OperationDenied.ClusterTaskConflictError"},
		{"busy under refusals", busy, "OperationDenied.MutexTaskRunning"},
		{"busy under refusals", busy, "UnsupportedOperation.LatestOperationUnfinished"},
		{"busy under refusals", busy, "UnsupportedOperation.MutexOperationTaskRunning"},
		{"busy as the first segment", busy, "MutexOperation.TaskRunning"},
		{"busy as the first segment", busy, "ResourceBusy"},
		{"locked by a person", fatal, "InternalError.ConfigLocked"},
		{"locked by the registry", fatal, "FailedOperation.DomainIsLocked"},

		{"fault by its first segment", serverFault, "InternalServerError"},
		{"fault by its first segment", serverFault, "DBError"},
		{"fault by its first segment", serverFault, "CdbError.TaskError"},
		{"fault by its first segment", serverFault, "SystemError"},
		{"fault by its first segment", serverFault, "UnknownError"},
		{"fault of a kind that is not listed", serverFault, "BackendError.Timeout"},
		{"busy of a kind that is not listed", busy, "SystemIsBusy"},
		{"kind that is not listed, of no use", fatal, "InvalidDiskId.Malformed"},
		{"fault, any sub-code", serverFault, "InternalError.NobodyKnows"},
		{"fault, a database", serverFault, "InternalError.DbError"},
		{"fault on the way", faultMidway, "FailedOperation.RequestTimeout"},
		{"fault on the way", faultMidway, "FailedOperation.DbQueryFailed"},
		{"fault under unavailable", faultMidway, "ResourceUnavailable.CallOssError"},
		{"fault under a wrong request", faultMidway, "InvalidParameter.LLMInternalError"},
		{"parameter, not a fault", fatal, "InvalidParameterValue.BatchTimeout"},
		{"failure without a reason", mayHaveRun, "FailedOperation.CreateFunction"},
		{"failure without a reason", mayHaveRun, "FailedOperation.RevokePolicyFailed"},
		{"verb before a state", mayHaveRun, "FailedOperation.DescribeInstanceStatus"},

		{"permanent under a fault", fatal, "InternalError.CidrConflictWithOtherCluster"},
		{"permanent under a fault", fatal, "InternalError.InsufficientBalance"},
		{"permanent under a fault", fatal, "InternalError.QuotaMaxClsLimit"},
		{"permanent under a fault", fatal, "InternalError.RequestTimeException"},
		{"permanent under a fault", fatal, "InternalError.TaskNotFound"},
		{"permanent under a failure", fatal, "FailedOperation.AuthNoStrategy"},
		{"permanent under a failure", fatal, "FailedOperation.CertificateNotFound"},
		{"permanent under a failure", fatal, "FailedOperation.DivisionByZero"},
		{"permanent under a failure", fatal, "FailedOperation.InsufficientBalance"},
		{"permanent under in use", fatal, "ResourceInUse.KeyPairInUse"},
		{"permanent under in use", fatal, "ResourceInUse.SubnetAlreadyExist"},
		{"permanent under unavailable", fatal, "ResourceUnavailable.CmkDisabled"},
		{"permanent under unavailable", fatal, "ResourceUnavailable.InstanceStateNotRunning"},

		{"words with underscores", fatal, "InternalError.NOT_SUPPORTED"},
		{"words in small letters", fatal, "InternalError.invalid"},
		{"the sub-code of an exception", throttled, "FailedOperation.SendVerifyCodeIsLimited.Mail"},
		{"an exception as the beginning of a word", faultMidway, "FailedOperation.VpcTimeout"},
		{"a code longer than any", serverFault, "InternalError." + strings.Repeat("Long", 1000)},
	} {
		t.Run(row.name+"/"+row.code[:min(len(row.code), 60)], func(t *testing.T) {
			assert.Equal(t, row.want, ClassifyCode(row.code))
		})
	}
}

func TestCodeVerdict_overrides(t *testing.T) {
	once := Verdict{Class: ClassIdempotent, Fault: true}
	for _, row := range []struct {
		name      string
		overrides map[string]Verdict
		code      string
		want      Verdict
	}{
		{"none", nil, "InternalError", serverFault},
		{"another code", map[string]Verdict{"Internal": once}, "InternalError", serverFault},
		{"the code", map[string]Verdict{"InternalError": once}, "InternalError", once},
		{"its sub-codes", map[string]Verdict{"InternalError": once}, "InternalError.DbError", once},
		{"beats words", map[string]Verdict{"InternalError": once}, "InternalError.TaskNotFound", once},
		{"loses to a longer exception", map[string]Verdict{"InternalError": once}, "InternalError.RequestTimeException", fatal},
		{"beats an exception as long", map[string]Verdict{"InternalError.RequestTimeException": once}, "InternalError.RequestTimeException", once},
		{"beats a shorter exception", map[string]Verdict{"FailedOperation.Vpc.A": once}, "FailedOperation.Vpc.A.B", once},
		{"a longer override beats a shorter", map[string]Verdict{"A": fatal, "A.B": once}, "A.B.C", once},
		{"a shorter one for the rest", map[string]Verdict{"A": busy, "A.B": once}, "A.C", busy},
		{"no part of a word", map[string]Verdict{"A.B": once}, "A.BC", fatal},
		{"an unknown code", map[string]Verdict{"Mine": throttled}, "Mine", throttled},
		{"a wait of its own", map[string]Verdict{"Mine": {Class: ClassRetryable, RetryAfter: 5}}, "Mine", Verdict{Class: ClassRetryable, RetryAfter: 5}},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, codeVerdict(row.code, row.overrides)) })
	}
}

// TestClassifyCode_labels measures the rules on codes that a reader has labelled by their meaning.
func TestClassifyCode_labels(t *testing.T) {
	for _, set := range []struct {
		name  string
		least float64
	}{{"random", 0.9}, {"hard", 0.85}} {
		var retry, throttle tally
		for _, row := range readTestdata(t, "labels.csv") {
			if row["set"] != set.name || row["label"] == "unclear" {
				continue
			}
			verdict := ClassifyCode(row["code"])
			retry.count(verdict.Class != ClassFatal, row["label"] != "permanent")
			throttle.count(verdict.Throttled, row["label"] == "throttled")
		}
		for name, counted := range map[string]tally{"worth a retry": retry, "throttled": throttle} {
			t.Logf("%-6s %-13s precision %.3f, recall %.3f (%d right, %d wrong, %d missed)",
				set.name, name, counted.precision(), counted.recall(), counted.right, counted.wrong, counted.missed)
			assert.GreaterOrEqual(t, counted.precision(), set.least, "precision of %s, %s", name, set.name)
			assert.GreaterOrEqual(t, counted.recall(), set.least, "recall of %s, %s", name, set.name)
		}
	}
}

type tally struct{ right, wrong, missed int }

func (c *tally) count(said, is bool) {
	switch {
	case said && is:
		c.right++
	case said:
		c.wrong++
	case is:
		c.missed++
	}
}

func (c tally) precision() float64 { return float64(c.right) / float64(c.right+c.wrong) }
func (c tally) recall() float64    { return float64(c.right) / float64(c.right+c.missed) }

func TestCodeTables_sorted(t *testing.T) {
	assertSorted(t, codes(codeExceptions))
	assertSorted(t, codes(codeKinds))
	seen := make(map[string]bool)
	for _, table := range wordTables {
		assertSorted(t, table)
		for _, words := range table {
			assert.False(t, seen[words], "%q is in two tables", words)
			assert.Equal(t, strings.ToLower(words), words)
			assert.LessOrEqual(t, len(strings.Fields(words)), longestEntry, words)
			seen[words] = true
		}
	}
}

func codes[T any](table []codeEntry[T]) []string {
	var codes []string
	for _, entry := range table {
		codes = append(codes, entry.code)
	}
	return codes
}

func assertSorted(t *testing.T, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		assert.Less(t, names[i-1], names[i], "sorted, without repeats")
	}
}

// TestCodeTables_exceptionsNeeded keeps the exceptions few: what the rules say anyway has no place there.
func TestCodeTables_exceptionsNeeded(t *testing.T) {
	for _, exception := range codeExceptions {
		first, sub, _ := strings.Cut(exception.code, ".")
		assert.NotEqual(t, exception.is, kindOf(first).judge(wordHints(sub)), exception.code)
	}
}

func TestSplitWords(t *testing.T) {
	for name, want := range map[string]string{
		"":                       "",
		"...":                    "",
		"InstanceNotReady":       "instance not ready",
		"CLSTopicNotFound":       "cls topic not found",
		"DBError":                "db error",
		"VpcInUse":               "vpc in use",
		"L4ProxyInProcessStatus": "l4 proxy in process status",
		"X509CertificateExist":   "x509 certificate exist",
		"NOT_SUPPORT":            "not support",
		"dealCreateError":        "deal create error",
		"Code_Fetch.SqlA":        "code fetch sql a",
		"A":                      "a",
		"ÄStatus":                "status",
	} {
		text, ends := splitWords(name, nil, nil)
		assert.Equal(t, want, strings.TrimSpace(string(text)), name)
		assert.Len(t, ends, len(strings.Fields(want)), name)
	}
}

func FuzzClassifyCode(f *testing.F) {
	for _, code := range codes(codeKinds) {
		f.Add(code, "NotReady")
	}
	for _, code := range codes(codeExceptions) {
		f.Add(code, "A.B")
	}
	f.Add("..", "\xff")
	f.Fuzz(func(t *testing.T, code, sub string) {
		verdict := ClassifyCode(code)
		assert.Equal(t, verdict, ClassifyCode(code))
		assert.Zero(t, verdict.RetryAfter)
		assert.NotEqual(t, ClassSuccess, verdict.Class)
		assert.False(t, verdict.Throttled && verdict.Class != ClassRetryable, "a throttled call did not run")
		assert.False(t, verdict.Fault && (verdict.Throttled || verdict.Class == ClassFatal), "a fault is worth a retry and is no throttle")
		if _, listed := lookUp(codeExceptions, code); listed {
			assert.Equal(t, verdict, ClassifyCode(code+"."+sub))
		}
		mine := Verdict{Class: ClassIdempotent, RetryAfter: 1}
		if code != "" && len(code) < maxCode {
			assert.Equal(t, mine, codeVerdict(code, map[string]Verdict{code: mine}))
		}
	})
}

func BenchmarkClassifyCode(b *testing.B) {
	for _, code := range []string{"InternalError", "RequestLimitExceeded.UinLimitExceeded", "UnsupportedOperation.BlueprintLatestOperationUnfinished"} {
		b.Run(code, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ClassifyCode(code)
			}
		})
	}
}

// readTestdata returns the rows of a CSV file, by column.
func readTestdata(t *testing.T, name string) []map[string]string {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	var read []map[string]string
	for _, row := range rows[1:] {
		columns := make(map[string]string)
		for i, column := range rows[0] {
			columns[column] = row[i]
		}
		read = append(read, columns)
	}
	require.NotEmpty(t, read)
	return read
}
