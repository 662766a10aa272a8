package notte

import (
	"bytes"
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxFields bounds how many members of an object are read. Notte's have up to
// 20; a hostile one of 16 MiB could have millions.
const maxFields = 256

// fields are the members of a JSON object by their keys.
type fields map[string]gjson.Result

// fieldsOf returns the members of v, or nil if v is not an object. If a key comes
// twice, the last value counts. Members beyond maxFields are left out.
func fieldsOf(v gjson.Result) fields {
	if !v.IsObject() {
		return nil
	}
	f := fields{}
	v.ForEach(func(key, value gjson.Result) bool {
		if _, known := f[key.Str]; known || len(f) < maxFields {
			f[key.Str] = value
		}
		return true
	})
	return f
}

// string returns the string under key, or "" if there is something else.
func (f fields) string(key string) string { return f[key].Str }

// text returns the text of the first of keys that has one: a string as it is, a
// number or a boolean as it was written.
func (f fields) text(keys ...string) string {
	for _, key := range keys {
		if s := scalarText(f[key]); s != "" {
			return s
		}
	}
	return ""
}

// readable returns the text for people under the first of keys that has one. The
// value may be an object or a list: see errorText.
func (f fields) readable(keys ...string) string {
	for _, key := range keys {
		if s := errorText(f[key], 3); s != "" {
			return s
		}
	}
	return ""
}

// dollars returns the amount in US dollars that v is, as a number or as its text,
// or nil if it is neither or cannot be a cost.
func dollars(v gjson.Result) *float64 {
	usd, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(scalarText(v)), "$"), 64)
	if err != nil || math.IsNaN(usd) || math.IsInf(usd, 0) || usd < 0 {
		return nil
	}
	return &usd
}

// time returns the time under key as Notte's services write it, with a zone or,
// meaning UTC, without. It is zero if it cannot be read.
func (f fields) time(key string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", time.DateTime} {
		if t, err := time.Parse(layout, f.text(key)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// rawJSON returns a compact copy of v, or nil for null and nothing.
func rawJSON(v gjson.Result) json.RawMessage {
	if v.Type == gjson.Null {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(v.Raw)); err != nil {
		return nil
	}
	return b.Bytes()
}

// scalarText returns a string as it is, a number or a boolean as it was written,
// and "" for the rest.
func scalarText(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return v.Str
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	}
	return ""
}

// textOrJSON returns a string as it is and anything else as JSON; null is "".
func textOrJSON(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	return string(rawJSON(v))
}

// items yields the items of a list. It yields v itself if v is neither a list nor
// null.
func items(v gjson.Result) iter.Seq[gjson.Result] {
	return func(yield func(gjson.Result) bool) {
		if v.IsArray() {
			v.ForEach(func(_, item gjson.Result) bool { return yield(item) })
		} else if v.Type != gjson.Null {
			yield(v)
		}
	}
}

// readJSON parses JSON, with or without a byte order mark. It replaces bytes that are
// not UTF-8, and replaces Python's NaN and Infinity by null. It refuses a text that
// nests deeper than maxNesting.
func readJSON(s string) (gjson.Result, bool) {
	s = strings.TrimPrefix(s, "\uFEFF")
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if validJSON(s) {
		return gjson.Parse(s), true
	}
	if strings.Contains(s, "NaN") || strings.Contains(s, "Infinity") {
		if s = replaceNaN(s); validJSON(s) {
			return gjson.Parse(s), true
		}
	}
	return gjson.Result{}, false
}

// validJSON reports whether s is JSON that is safe to walk.
func validJSON(s string) bool { return !tooDeep(s) && gjson.Valid(s) }

// replaceNaN replaces NaN, Infinity and -Infinity outside of strings by null.
func replaceNaN(s string) string {
	var b strings.Builder
	written := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = scanString(&nesting{inString: true}, s, i+1)
		case 'N', 'I', '-':
			for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
				if strings.HasPrefix(s[i:], word) {
					b.WriteString(s[written:i])
					b.WriteString("null")
					written = i + len(word)
					i = written - 1
					break
				}
			}
		}
	}
	b.WriteString(s[written:])
	return b.String()
}
