package tools

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// unescape decodes the two characters that a JSON Pointer cannot have as they are.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// follow returns the value that a JSON Pointer (RFC 6901) leads to in a document, or
// why it leads to none.
func follow(document gjson.Result, pointer string) (value gjson.Result, why string) {
	switch {
	case pointer == "":
		return document, ""
	case pointer[0] != '/':
		return value, fmt.Sprintf("%.*q does not begin with a slash", maxQuoted, pointer)
	}
	value, at := document, ""
	for token := range strings.SplitSeq(pointer[1:], "/") {
		name := unescape.Replace(token)
		next, found := child(value, name)
		if !found {
			return next, fmt.Sprintf("there is no %.*q %s, which is %s", maxQuoted, name, place(at), outline(value))
		}
		value, at = next, at+"/"+token
	}
	return value, ""
}

// child returns the member of an object or the element of a list that a token of a
// pointer names.
func child(parent gjson.Result, token string) (value gjson.Result, found bool) {
	position := -1
	if n, err := strconv.Atoi(token); err == nil && n >= 0 && strconv.Itoa(n) == token {
		position = n
	}
	i, list := 0, parent.IsArray()
	if !list && !parent.IsObject() {
		return value, false
	}
	parent.ForEach(func(name, element gjson.Result) bool {
		if found = list && i == position || !list && name.Str == token; found {
			value = element
		}
		i++
		return !found
	})
	return value, found
}

// place says where a pointer leads, to follow what is there.
func place(pointer string) string {
	if pointer == "" {
		return "at the top of the result"
	}
	return "at " + text.OneLine(pointer, maxQuoted)
}

// Bounds of an [outline].
const (
	maxOutlined = 20 // names
	maxName     = 40 // characters
)

// outline says what a value is, to follow "which is". It names the members of an
// object.
func outline(v gjson.Result) string {
	switch {
	case v.IsArray():
		return "a list of " + plural(count(v), "element")
	case v.IsObject():
		return "an object with " + members(v)
	case v.Type == gjson.String:
		return "a text"
	case v.Type == gjson.Number:
		return "a number"
	}
	return v.Raw // true, false or null
}

// members names the members of an object, to follow "with".
func members(object gjson.Result) string {
	var names []string
	n := 0
	object.ForEach(func(name, _ gjson.Result) bool {
		if n++; n <= maxOutlined {
			names = append(names, strconv.Quote(text.OneLine(name.Str, maxName)))
		}
		return true
	})
	if n == 0 {
		return "no members"
	}
	all := "the members " + strings.Join(names, ", ")
	if n == 1 {
		all = "the member " + names[0]
	}
	if n > maxOutlined {
		all += fmt.Sprintf(" and %s more", formatCount(n-maxOutlined))
	}
	return all
}

// count returns how many elements a list has.
func count(list gjson.Result) (n int) {
	list.ForEach(func(_, _ gjson.Result) bool { n++; return true })
	return n
}
