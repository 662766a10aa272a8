package notte

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// errNotEvent is what an event's data is when it is no JSON object, or one
// nested too deep.
var errNotEvent = errors.New("not a JSON object")

// maxNesting bounds how deep JSON may nest: gjson recurses, and would use up
// the stack on a hostile text.
const maxNesting = 1000

// decodeEvent reads the data of one event. typ is the type that stands beside
// the data, for JSON that names none. Where a key comes twice, the last counts.
func decodeEvent(typ, data string) (Event, error) {
	if ev, ok := plainDelta(data); ok {
		return ev, nil
	}
	return decodeObject(typ, data)
}

// decodeObject reads an event of any type, in any JSON.
func decodeObject(typ, data string) (Event, error) {
	object, ok := readJSON(data)
	if !ok || !object.IsObject() {
		return Event{}, errNotEvent
	}
	if len(data) > largeEvent && object.Get("type").Str == string(EventToolResult) {
		return Event{Type: EventToolResult, Size: len(data)}, nil // saves unescaping its content
	}
	ev := Event{Type: eventType(typ), Size: len(data)}
	var message gjson.Result
	object.ForEach(func(key, v gjson.Result) bool {
		if key.Str == "message" {
			message = v
		} else {
			ev.set(key.Str, v)
		}
		return true
	})
	return ev.only(object, message), nil
}

// set reads what stands under one key of an event.
func (e *Event) set(key string, v gjson.Result) {
	switch key {
	case "type":
		if name := scalarText(v); name != "" {
			e.Type = eventType(name)
		}
	case "status":
		e.Status = scalarText(v)
	case "delta":
		e.Delta = v.Str
	case "name":
		e.Name = scalarText(v)
	case "role":
		e.Role = scalarText(v)
	case "viewer_url":
		e.ViewerURL = v.Str
	case "function_id":
		e.FunctionID = scalarText(v)
	case "function_name":
		e.FunctionName = scalarText(v)
	case "created_at":
		e.CreatedAt = scalarText(v)
	case "total_cost_usd":
		e.TotalCostUSD = cost(v)
	case "metadata":
		e.ThreadID = firstText(v, "thread_id")
	case "error":
		e.Error = words(v, 3)
	case "detail":
		e.Detail = words(v, 3)
	case "reason":
		e.Reason = words(v, 3)
	}
}

// eventType is the type of that name, which is not part of the event's data: who
// keeps the type of a large event is not to keep the event. A new type's name is
// cut to maxTypeName bytes.
func eventType(name string) EventType {
	for _, known := range [...]EventType{
		EventTextDelta, EventThinkingDelta, EventStatus, EventToolStart, EventToolResult,
		EventMessageComplete, EventSessionData, EventFunctionUploaded, EventDone, EventError,
		EventTimeout, EventCancelled, EventLog, EventSessionStart, EventResult,
	} {
		if name == string(known) {
			return known
		}
	}
	return EventType(strings.ToValidUTF8(strings.Clone(name[:min(len(name), maxTypeName)]), ""))
}

// only is ev with the fields of its type alone. A message of a type that has
// none is not kept.
func (e Event) only(object, message gjson.Result) Event {
	k := Event{Type: e.Type, Size: e.Size}
	switch e.Type {
	case EventStatus:
		k.Status = e.Status
	case EventThinkingDelta, EventTextDelta:
		k.Delta = e.Delta
	case EventToolStart:
		k.Name = e.Name
	case EventMessageComplete:
		k.Role = e.Role
	case EventSessionData:
		k.ViewerURL = e.ViewerURL
	case EventFunctionUploaded:
		k.FunctionID, k.FunctionName, k.CreatedAt = e.FunctionID, e.FunctionName, e.CreatedAt
	case EventDone:
		k.FunctionID, k.TotalCostUSD, k.ThreadID = e.FunctionID, e.TotalCostUSD, e.ThreadID
	case EventError:
		k.Error, k.Detail = e.Error, e.Detail
		if k.Error == "" {
			k.Error = words(message, 3)
		}
	case EventTimeout:
		k.Reason, k.Detail = e.Reason, e.Detail
	case EventCancelled:
		k.Reason = e.Reason
	case EventLog, EventSessionStart:
		k.Message = words(message, 3)
	case EventResult:
		k.Result = resultOf(object, message)
	}
	return k
}

// resultOf reads the outcome of a run: JSON in the event's message, as a string
// or as it is, or beside it.
func resultOf(event, message gjson.Result) *RunResult {
	switch {
	case message.IsObject():
		return parseRunResult(message)
	case message.Type == gjson.String:
		if inner, ok := readJSON(message.Str); ok && inner.IsObject() {
			return parseRunResult(inner)
		}
		quoted, _ := text.JSON(message.Str)
		return &RunResult{Result: quoted}
	}
	return parseRunResult(event)
}

// parseRunResult reads a run's outcome from its object.
func parseRunResult(v gjson.Result) *RunResult {
	return &RunResult{
		FunctionID: firstText(v, "function_id", "workflow_id"),
		RunID:      firstText(v, "function_run_id", "workflow_run_id", "run_id"),
		SessionID:  firstText(v, "session_id"),
		Status:     runStatus(v),
		Result:     rawJSON(v.Get("result")),
	}
}

func runStatus(v gjson.Result) RunStatus {
	return RunStatus(strings.ToLower(firstText(v, "status")))
}

// rawJSON is a compact copy of v, or nil for null and nothing.
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

// firstText is the text of the first of keys that v has. What is no object has
// none: gjson would look for one even inside of a string.
func firstText(v gjson.Result, keys ...string) string {
	if !v.IsObject() {
		return ""
	}
	for _, key := range keys {
		if s := scalarText(v.Get(key)); s != "" {
			return s
		}
	}
	return ""
}

// text is a string as it is and a number or a boolean as it was written, and
// empty for the rest.
func scalarText(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return v.Str
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	}
	return ""
}

// cost is an amount in US dollars, given as a number or as its text, or nil
// when it is neither or can be no cost.
func cost(v gjson.Result) *float64 {
	usd, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(scalarText(v)), "$"), 64)
	if err != nil || math.IsNaN(usd) || math.IsInf(usd, 0) || usd < 0 {
		return nil
	}
	return &usd
}

// timestamp reads a time as Notte's services write it, with a zone or, meaning
// UTC, without. It is zero when it cannot be read.
func timestamp(v gjson.Result) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", time.DateTime} {
		if t, err := time.Parse(layout, scalarText(v)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// readJSON reads a text that is JSON, or would be but for bytes that are not
// UTF-8 or for Python's NaN and Infinity, which become null.
func readJSON(s string) (gjson.Result, bool) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if validJSON(s) {
		return gjson.Parse(s), true
	}
	if strings.Contains(s, "NaN") || strings.Contains(s, "Infinity") {
		if s = nullNonFinite(s); validJSON(s) {
			return gjson.Parse(s), true
		}
	}
	return gjson.Result{}, false
}

// validJSON reports whether s is JSON that is safe to walk.
func validJSON(s string) bool { return !tooDeep(s) && gjson.Valid(s) }

// tooDeep reports whether s nests deeper than maxNesting. A short text need not
// be looked at: each level takes a byte.
func tooDeep(s string) bool {
	if len(s) <= maxNesting {
		return false
	}
	depth, inString, escaped := 0, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// nullNonFinite puts null for the numbers that Python writes and JSON lacks,
// outside of strings.
func nullNonFinite(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] == '"' {
			n := stringLength(s)
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		n := strings.IndexByte(s, '"')
		if n < 0 {
			n = len(s)
		}
		b.WriteString(strings.NewReplacer("-Infinity", "null", "Infinity", "null", "NaN", "null").Replace(s[:n]))
		s = s[n:]
	}
	return b.String()
}

// stringLength is the length of the JSON string that s begins with.
func stringLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
