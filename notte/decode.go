package notte

import (
	"errors"
	"net/http"
	"strings"
)

// language reads the events of one of the formats in which Notte streams its
// work. A language that has to remember earlier events has a value for each
// stream.
type language interface {
	// decode calls yield with each [Event] that one event of the stream holds,
	// until yield returns false, and then returns false. typ is the stream's
	// own type of the event, for JSON that has none. If data is not an event,
	// decode returns errNotEvent and does not call yield.
	decode(typ, data string, yield func(Event) bool) (more bool, err error)
}

// languageOf returns the language of an answer that is a stream of events.
func languageOf(*http.Response) language { return v1 }

// errNotEvent is the error of data that is not a JSON object, or that nests deeper
// than maxNesting.
var errNotEvent = errors.New("not a JSON object")

// largeEvent is the size in bytes from which a tool's result is not decoded.
const largeEvent = 256 << 10

// table is a language in which each event of the stream is one [Event], and an
// event's type says how its fields are read.
type table []struct {
	typ  EventType
	read func(fields) Event // Type and Size are set by the table
}

func (t table) decode(typ, data string, yield func(Event) bool) (bool, error) {
	ev, err := t.event(typ, data)
	if err != nil {
		return true, err
	}
	return yield(ev), nil
}

// event reads one event. If a key comes twice, the last value counts.
func (t table) event(typ, data string) (Event, error) {
	if d, ok := plainDelta(data); ok {
		return Event{Type: t.typeOf(d.typ), Delta: d.text, Size: len(data)}, nil
	}
	return t.object(typ, data)
}

// object reads an event of any type, in any JSON.
func (t table) object(typ, data string) (Event, error) {
	object, ok := readJSON(data)
	if !ok || !object.IsObject() {
		return Event{}, errNotEvent
	}
	if len(data) > largeEvent && object.Get("type").Str == string(EventToolResult) {
		return Event{Type: EventToolResult, Size: len(data)}, nil // its content need not be unescaped
	}
	f := fieldsOf(object)
	if name := f.text("type"); name != "" {
		typ = name
	}
	var ev Event
	for _, row := range t {
		if string(row.typ) == typ {
			ev = row.read(f)
		}
	}
	ev.Type, ev.Size = t.typeOf(typ), len(data)
	return ev, nil
}

// typeOf returns the type called name. It never shares memory with name, so
// keeping it does not keep a large event alive. A name that is not in the table
// is cut to maxTypeName bytes.
func (t table) typeOf(name string) EventType {
	for _, row := range t {
		if string(row.typ) == name {
			return row.typ
		}
	}
	return EventType(strings.ToValidUTF8(strings.Clone(name[:min(len(name), maxTypeName)]), ""))
}
