package functions

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// FromText returns the value of the variable that a text means, such as a cell of a
// table: for a number the number, and so on. A text that means no such value stays a
// text, for [Function.Check] to judge. A blank text leaves out a variable that may be left
// out, and any that is no text: then ok is false.
func (v Variable) FromText(s string) (value json.RawMessage, ok bool) {
	word := strings.TrimSpace(s)
	if word == "" && !(v.Required && v.Type == String) {
		return nil, false
	}
	switch parsed := gjson.Parse(word); {
	case !gjson.Valid(word):
	case (v.Type == Integer || v.Type == Number) && parsed.Type == gjson.Number,
		v.Type == Boolean && parsed.IsBool(), v.Type == Array && parsed.IsArray(), v.Type == Object && parsed.IsObject():
		return json.RawMessage(word), true
	}
	if lower := strings.ToLower(word); v.Type == Boolean && (lower == "true" || lower == "false") {
		return json.RawMessage(lower), true
	}
	value, _ = text.JSON(s) // a text can always be encoded
	return value, true
}
