package notte

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// language is a format in which Notte streams its work. Each has a file with a
// table of its types: v1.go and v2.go.
type language uint8

const (
	unknownLanguage language = iota
	languageV1
	languageV2
)

// languageOf returns the language that an answer's headers name. v2 has two such
// headers, and a proxy may drop both.
func languageOf(resp *http.Response) language {
	if resp.Header.Get("X-Vercel-Ai-Ui-Message-Stream") != "" || resp.Header.Get(threadHeader) != "" {
		return languageV2
	}
	return unknownLanguage
}

// decoder reads the events of one stream. The type of an event shows its language,
// because "error" is the only type of both. So a stream may lack the headers that
// name its language, and may change its language.
type decoder struct {
	run      bool     // a run's stream, which is always in v1
	language language // of the last event whose type shows it; at first that of the headers
	turn     turn     // of the chunks of v2
	halves   halves   // of characters, at the ends of deltas
}

// errNotEvent is the error of data that is not a JSON object, or that nests deeper
// than maxNesting.
var errNotEvent = errors.New("not a JSON object")

// largeEvent is the size in bytes from which a tool's result is not decoded,
// where nothing is searched for in it.
const largeEvent = 256 << 10

// decode calls yield with each [Event] that one event of the stream holds, until
// yield returns false, and then returns false. typ is the stream's own type of the
// event, for JSON that has none. If data is not an event, decode returns errNotEvent
// and does not call yield.
func (d *decoder) decode(typ, data string, yield func(Event) bool) (more bool, err error) {
	if p, ok := plainDelta(data); ok && len(d.halves) == 0 {
		if ev, ok := d.delta(p); ok {
			ev.Size = len(data)
			return yield(ev), nil
		}
	}
	if strings.TrimSpace(data) == "[DONE]" && !d.run {
		if d.language == languageV2 {
			d.turn.closed = true
			return d.end(yield), nil
		}
		// The last event was of v1, where this ends nothing. It counts at the end of
		// the body if the stream has chunks of v2 too.
		d.turn.closed = d.turn.seen
	}
	return d.object(typ, data, yield)
}

// end calls yield with the last events of a v2 build at the end of its stream: text
// that waited, and the terminal event if the outcome is known. It returns the last
// result of yield, or true if it made no call.
func (d *decoder) end(yield func(Event) bool) (more bool) {
	if !d.dropHalves(yield) {
		return false
	}
	d.turn.reasoning.release(&d.turn)
	d.turn.text.release(&d.turn)
	if ev, ok := d.turn.end(); ok {
		d.turn.add(ev)
	}
	return d.turn.take(0, yield)
}

// delta returns the event of a plain delta, or false if the delta belongs to a v2
// block that has to wait for another.
func (d *decoder) delta(p delta) (Event, bool) {
	switch p.typ {
	case string(EventTextDelta):
		d.language = languageV1
		return Event{Type: EventTextDelta, Delta: p.text}, true
	case string(EventThinkingDelta):
		d.language = languageV1
		return Event{Type: EventThinkingDelta, Delta: p.text}, true
	}
	if d.run {
		return Event{}, false
	}
	d.language = languageV2
	return d.turn.delta(p)
}

// object reads an event of any type, in any JSON. If a key comes twice, the last value
// counts.
func (d *decoder) object(typ, data string, yield func(Event) bool) (bool, error) {
	object, ok := readJSON(data)
	if !ok || !object.IsObject() {
		return true, errNotEvent
	}
	var f fields
	switch kind := object.Get("type").Str; {
	case len(data) > largeEvent && kind == string(EventToolResult):
		return yield(Event{Type: EventToolResult, Size: len(data)}), nil // its content need not be unescaped
	case len(data) > maxSearch && kind == toolOutputAvailable:
		d.turn.skip("a tool's output too long to be searched", len(data))
		f = fields{"type": object.Get("type"), "toolCallId": object.Get("toolCallId"), "preliminary": object.Get("preliminary")}
	default:
		f = fieldsOf(object)
	}
	typ = cmp.Or(f.text("type"), typ)
	if isDelta(typ) {
		f["delta"] = d.halves.join(typ, f.text("id"), f["delta"])
	} else if !d.dropHalves(yield) {
		return false, nil
	}
	return d.read(typ, f, len(data), yield), nil
}

// dropHalves ends the texts that wait for the rest of a character, because the next
// event is no delta. It yields a delta for each of them.
func (d *decoder) dropHalves(yield func(Event) bool) (more bool) {
	waiting := d.halves
	d.halves = nil
	for _, h := range waiting {
		f := fields{"id": {Type: gjson.String, Str: h.block}, "delta": {Type: gjson.String, Str: lostHalf}}
		if !d.read(h.typ, f, 0, yield) {
			return false
		}
	}
	return true
}

// read calls yield with the events that an event of the stream makes. The event has
// size bytes.
func (d *decoder) read(typ string, f fields, size int, yield func(Event) bool) (more bool) {
	if read := d.chunk(typ, f); read != nil {
		d.language = languageV2
		read(&d.turn, f)
		return d.turn.take(size, yield)
	}
	var ev Event
	if read := v1[EventType(typ)]; read != nil {
		d.language = languageV1
		ev = read(f)
	} else if d.language == unknownLanguage && strings.Contains(typ, "-") {
		d.language = languageV2 // no type of v1 has a hyphen
	}
	ev.Type, ev.Size = typeNamed(typ), size
	return yield(ev)
}

// chunk returns the function that reads a chunk of v2, or nil for an event of v1 or
// of no known type. An "error" is of v2 if it has v2's key or follows a v2 chunk.
func (d *decoder) chunk(typ string, f fields) func(*turn, fields) {
	if d.run || typ == string(EventError) && d.language != languageV2 && !f["errorText"].Exists() {
		return nil
	}
	if name, ok := strings.CutPrefix(typ, "data-"); ok {
		return func(t *turn, f fields) { t.data(name, f["data"]) }
	}
	return v2[typ]
}

// typeNamed returns the type called name, cut to maxTypeName bytes. It shares no
// memory with name, so keeping it does not keep a large event alive.
func typeNamed(name string) EventType {
	return EventType(strings.ToValidUTF8(strings.Clone(name[:min(len(name), maxTypeName)]), ""))
}
