package tencenthttp

import "encoding/json"

// jsonMembers calls visit with the key and the raw value of each member of a JSON object, in their order and without
// descending into the values, until visit returns false. The object must be valid JSON (json.Valid); anything but an object has no members.
//
// It is here because encoding/json folds the case of keys when it decodes into a struct, and "error" is not "Error".
func jsonMembers(object []byte, visit func(key string, value []byte) bool) {
	at := skipSpace(object, 0)
	if at == len(object) || object[at] != '{' {
		return
	}
	for at = skipSpace(object, at+1); object[at] == '"'; at = skipSpace(object, at+1) {
		end := skipString(object, at)
		key := jsonString(object[at:end])
		start := skipSpace(object, skipSpace(object, end)+1) // past the colon
		at = skipValue(object, start)
		if !visit(key, object[start:at]) {
			return
		}
		if at = skipSpace(object, at); object[at] != ',' {
			return
		}
	}
}

func skipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r') {
		at++
	}
	return at
}

// skipString returns where the string that begins at the quote data[at] ends.
func skipString(data []byte, at int) int {
	for at++; data[at] != '"'; at++ {
		if data[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func skipValue(data []byte, at int) int {
	switch data[at] {
	case '"':
		return skipString(data, at)
	case '{', '[':
		return skipNested(data, at)
	}
	for ; ; at++ { // a number, true, false or null: the object's next token ends it
		switch data[at] {
		case ',', '}', ' ', '\t', '\n', '\r':
			return at
		}
	}
}

func skipNested(data []byte, at int) int {
	for depth := 0; ; {
		switch data[at] {
		case '"':
			at = skipString(data, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if at++; depth == 0 {
			return at
		}
	}
}

// isObject tells whether a raw value that jsonMembers gave is an object.
func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// jsonString decodes a raw JSON string; what is no string is "".
func jsonString(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		if c == '\\' || c >= 0x80 { // escapes, and bytes that may not be UTF-8
			var text string
			if json.Unmarshal(value, &text) != nil {
				return ""
			}
			return text
		}
	}
	return string(inner)
}
