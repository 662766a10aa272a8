package transport

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/tidwall/gjson"
)

// shape says what is read of a JSON value.
type shape struct {
	is      func(gjson.Result) bool // reports whether a value is valid; nil: every value is
	wrong   string                  // the error for a value that is not; empty: its reader refuses it
	members map[string]shape        // what is read of an object, by exact name; nil: all of it
}

// anyName is the name in shape.members of all members without a shape of their own.
const anyName = "*"

// shapeOf returns the shape of the params of a method.
func shapeOf(method string) shape {
	if method == string(mcp.MethodPromptsGet) {
		return promptShape
	}
	return paramsShape
}

// paramsShape is the shape of the params of all other methods than prompts/get. It does
// not have what this server does not use, so that no client is refused because of it.
var paramsShape = shape{is: isObject, wrong: notObjects, members: map[string]shape{
	"_meta": {is: isObject, wrong: notObjects, members: map[string]shape{
		"progressToken":            {},
		mcp.MetaKeyProtocolVersion: {},
		mcp.MetaKeyClientInfo:      {is: isObject, members: map[string]shape{"name": {}}}, // ignored if it is malformed
		mcp.MetaKeyClientCapabilities: {is: isObject, members: map[string]shape{
			"extensions": {is: isObject, members: map[string]shape{anyName: {is: isObject}}},
		}},
	}},
	"protocolVersion": {is: isText, wrong: "The protocolVersion must be a string."},
	"cursor":          {is: isEmptyText, wrong: "This server gives no cursors, because each of its lists fits into one answer. Leave out the cursor."},
	"name":            {is: isText, wrong: "The name must be a string."},
	"uri":             {is: isText, wrong: "The uri must be a string."},
	"arguments":       {is: isObject},
	"notifications": {is: isObject, wrong: "The notifications must be an object.", members: map[string]shape{
		"taskIds":              {},
		"toolsListChanged":     {is: gjson.Result.IsBool, wrong: "The toolsListChanged of a subscription must be true or false."},
		"resourcesListChanged": {is: gjson.Result.IsBool, wrong: "The resourcesListChanged of a subscription must be true or false."},
	}},
	"taskId":         {},
	"inputResponses": {is: isObject, wrong: "The inputResponses must be an object."},
	"requestId":      {},
	"reason":         {},
}}

// promptShape is the shape of the params of prompts/get.
var promptShape = paramsShape.with("arguments", shape{
	is: isObject, wrong: "The arguments of a prompt must be an object.",
	members: map[string]shape{anyName: {is: isText, wrong: "Each argument of a prompt must be a string."}},
})

// with returns s with a member of another shape.
func (s shape) with(name string, member shape) shape {
	s.members = maps.Clone(s.members)
	s.members[name] = member
	return s
}

const notObjects = "The params of the request, and their _meta, must be objects."

// append appends what is read of value, as JSON, to b.
func (s shape) append(b []byte, value gjson.Result) (_ []byte, bad *rpcError) {
	valid := s.is == nil || s.is(value)
	switch {
	case !valid && s.wrong != "":
		return b, &rpcError{mcp.INVALID_PARAMS, s.wrong}
	case valid && s.is != nil && isEmpty(value):
		return append(b, "{}"...), nil
	case s.members == nil || !value.IsObject():
		return append(b, value.Raw...), nil
	}
	b = append(b, '{')
	first := len(b)
	bad = eachMember(value, func(name, value gjson.Result) (bad *rpcError) {
		inner, read := s.members[name.Str]
		if !read {
			inner, read = s.members[anyName]
		}
		if !read || value.Type == gjson.Null {
			return nil
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = append(append(b, name.Raw...), ':')
		b, bad = inner.append(b, value)
		return bad
	})
	return append(b, '}'), bad
}

// isObject accepts an empty array as an empty object, because PHP writes both alike, and
// null as one that is left out.
func isObject(value gjson.Result) bool { return value.IsObject() || isEmpty(value) }

func isText(value gjson.Result) bool { return value.Type == gjson.String }

func isEmptyText(value gjson.Result) bool { return isText(value) && value.Str == "" }

// isEmpty reports whether value counts as an empty object without being one.
func isEmpty(value gjson.Result) bool {
	return value.Type == gjson.Null || value.IsArray() && strings.TrimSpace(value.Raw[1:len(value.Raw)-1]) == ""
}

// eachMember calls f for each member of a JSON object, and returns the first error. f
// does not get a name that comes again: that is an error, because a gateway may have
// checked one member and not the other.
func eachMember(object gjson.Result, f func(name, value gjson.Result) *rpcError) (bad *rpcError) {
	seen := make(map[string]bool, 8)
	object.ForEach(func(name, value gjson.Result) bool {
		var wrong *rpcError
		if seen[name.Str] {
			wrong = &rpcError{mcp.INVALID_REQUEST, fmt.Sprintf("The message has the member %.60q twice in one object: send it once.", name.Str)}
		} else {
			seen[name.Str] = true
			wrong = f(name, value)
		}
		bad = cmp.Or(bad, wrong)
		return true
	})
	return bad
}
