package tools

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// The examples of RFC 6901.
func TestFollow(t *testing.T) {
	document := gjson.Parse(`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"~1":9}`)
	for pointer, want := range map[string]string{
		"": document.Raw, "/foo": `["bar","baz"]`, "/foo/0": `"bar"`, "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3",
		"/g|h": "4", `/i\j`: "5", `/k"l`: "6", "/ ": "7", "/m~0n": "8", "/~01": "9",
	} {
		if got, why := follow(document, pointer); got.Raw != want || why != "" {
			t.Errorf("%q leads to %s (%s), want %s", pointer, got.Raw, why, want)
		}
	}
}

// A pointer leads where encoding/json has the value, and what it does not lead to is
// told in a bounded sentence.
func FuzzFollow(f *testing.F) {
	for _, document := range []string{`{"a":[1,{"b~/":null}],"":{"":"x"}}`, `[[[]]]`, `"text"`, `{"0":{"1":[0,1e999]}}`, `{"\u0061":1,"é":{"\ud800":2}}`} {
		for _, pointer := range []string{"", "/", "/a/1/b~0~1", "/0/1", "/00", "//", "/a/-", "/a/+1", "a", "/~2", "/\xff"} {
			f.Add(document, pointer)
		}
	}
	f.Fuzz(func(t *testing.T, document, pointer string) {
		var whole any
		decoder := json.NewDecoder(strings.NewReader(document))
		decoder.UseNumber()
		if !json.Valid([]byte(document)) || decoder.Decode(&whole) != nil || repeats(gjson.Parse(document)) {
			return
		}
		got, why := follow(gjson.Parse(document), pointer)
		if want, found := reference(whole, pointer); found != (why == "") {
			t.Fatalf("%q in %s: %q, want found %v", pointer, document, why, found)
		} else if found {
			var value any
			decoder := json.NewDecoder(strings.NewReader(got.Raw))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil || !reflect.DeepEqual(value, want) {
				t.Fatalf("%q in %s leads to %s (%v), want %v", pointer, document, got.Raw, err, want)
			}
		}
		if len(why) > 3000 || !utf8.ValidString(why) || strings.ContainsAny(why, "\x00\x1b\n\u202e") {
			t.Errorf("%q in %s: %q", pointer, document, why)
		}
	})
}

// reference follows a pointer in a decoded document, token by token.
func reference(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil, false
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			member, found := v[token]
			if !found {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.ParseUint(token, 10, 31)
			if err != nil || int(i) >= len(v) || strconv.Itoa(int(i)) != token {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// repeats reports whether an object in v has a name twice, or one that is not UTF-8:
// there encoding/json reads something else.
func repeats(v gjson.Result) (found bool) {
	if !v.IsObject() && !v.IsArray() {
		return false
	}
	seen := make(map[string]bool)
	v.ForEach(func(name, element gjson.Result) bool {
		found = v.IsObject() && (seen[name.Str] || !utf8.ValidString(name.Str)) || repeats(element)
		seen[name.Str] = true
		return !found
	})
	return found
}
