package notte

import (
	"log/slog"
	"reflect"
	"testing"
)

func TestPlainDelta(t *testing.T) {
	for data, want := range map[string]bool{
		`{"type":"text_delta","delta":"hello"}`:           true,
		`{"type": "thinking_delta", "delta": "a b c "}`:   true,
		`{"type":"text_delta","delta":"é€"}`:              true,
		`{"type":"text_delta","delta":""}`:                true,
		`{"type":"text_delta","delta":"a\nb"}`:            false, // an escape
		`{"type":"text_delta","delta":"a","type":"done"}`: false, // the last type counts
		`{"type":"text_delta","delta":"a"} x`:             false,
		`{"type":"text_delta","delta":"a`:                 false,
		`{"delta":"a","type":"text_delta"}`:               true,
		`{"type":"status","delta":"a"}`:                   false,
		"{\"type\":\"text_delta\",\"delta\":\"\xff\"}":    false,
		"{\"type\":\"text_delta\",\"delta\":\"a\tb\"}":    true,
		`{"delta":"a","type":"text_delta","delta":"b"}`:   false,
	} {
		if _, got := plainDelta(data); got != want {
			t.Errorf("plainDelta(%s) = %v, want %v", data, got, want)
		}
	}
}

// decodeObject is decodeOne without its short way through a delta.
func decodeObject(data string) (ev Event, err error) {
	d := decoder{turn: newTurn(testClient(slog.DiscardHandler), func(string, int) {})}
	_, err = d.object("", data, func(e Event) bool { ev = e; return true })
	return ev, err
}

// FuzzPlainDelta compares plainDelta with the decoder of all events.
func FuzzPlainDelta(f *testing.F) {
	f.Add(`{"type":"text_delta","delta":"hello"}`)
	f.Add(`{"type": "thinking_delta", "delta": "é"}`)
	f.Add(`{"type":"text_delta","delta":"a\"b"}`)
	f.Add(`{"type":"text-delta","id":"t1","delta":"a"}`)
	f.Add(`{"type":"reasoning-delta","id":"r1","delta":"a"}`)
	f.Fuzz(func(t *testing.T, data string) {
		if _, ok := plainDelta(data); !ok {
			return
		}
		ev, err := decodeOne("", data)
		if err != nil {
			t.Fatal(err)
		}
		// Raw control characters are not JSON, but harmless in a delta.
		if want, err := decodeObject(data); err == nil && !reflect.DeepEqual(ev, want) {
			t.Errorf("plainDelta(%q) = %+v, and its JSON says %+v", data, ev, want)
		}
	})
}
