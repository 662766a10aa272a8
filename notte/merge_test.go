package notte

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// joined returns the events of a stream over r, with neighbouring deltas of one
// type as one, how many they were before, and the error.
func joined(r io.Reader) (all []Event, n int, err error) {
	for ev, e := range testStream(r).Events() {
		if err = e; err != nil {
			break
		}
		n++
		ev.Size = 0
		if last := len(all) - 1; isDelta(string(ev.Type)) && last >= 0 && all[last].Type == ev.Type {
			all[last].Delta += ev.Delta
			continue
		}
		all = append(all, ev)
	}
	return all, n, err
}

// unmerged returns r in pieces that are too small for deltas to be merged.
func unmerged(stream string) io.Reader { return pieces(stream, minMerge-1) }

func TestMerge(t *testing.T) {
	repeat := func(event string) string { return strings.Repeat(event, 1000) }
	for _, tt := range []struct {
		name, stream string
		merged       bool
	}{
		{"as Notte writes them", repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab \"}\n\n"), true},
		{"as Python writes them", repeat("data: {\"type\": \"thinking_delta\", \"delta\": \"ab\"}\n\n"), true},
		{"delta first", repeat("data:{\"delta\":\"ab\",\"type\":\"text_delta\"}\n\n"), true},
		{"with an ID", repeat("data: {\"type\":\"text_delta\",\"id\":\"t1\",\"delta\":\"ab\"}\n\n"), true},
		{"as the AI SDK writes them", repeat("data: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"ab \"}\n\n"), true},
		{"reasoning of v2", repeat("data: {\"type\":\"reasoning-delta\",\"id\":\"r-1\",\"delta\":\"ab \"}\n\n"), true},
		{"two blocks of v2 in turn", repeat("data: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"a\"}\n\ndata: {\"type\":\"text-delta\",\"id\":\"2\",\"delta\":\"b\"}\n\n"), false},
		{"with metadata of v2", repeat("data: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"a\",\"providerMetadata\":{}}\n\n"), false},
		{"CRLF", repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab\"}\r\n\r\n"), true},
		{"runes and empty texts", repeat("data: {\"type\":\"text_delta\",\"delta\":\"é世🙂\"}\n\ndata: {\"type\":\"text_delta\",\"delta\":\"\"}\n\n"), true},
		{"two types in turn", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\ndata: {\"type\":\"thinking_delta\",\"delta\":\"b\"}\n\n"), false},
		{"other IDs", repeat("data: {\"type\":\"text_delta\",\"id\":\"1\",\"delta\":\"a\"}\n\ndata: {\"type\":\"text_delta\",\"id\":\"2\",\"delta\":\"b\"}\n\n"), false},
		{"other spellings", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\ndata: {\"type\":\"text_delta\", \"delta\":\"b\"}\n\n"), false},
		{"a comment between them", repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab\"}\n\n: ping\n\n"), false},
		{"no blank lines", repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab\"}\n"), false},
		{"CR", repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab\"}\r\r"), false},
		{"an event: field", repeat("event: x\ndata: {\"type\":\"text_delta\",\"delta\":\"ab\"}\n\n"), false},
		{"escapes", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\\n\\\"b\"}\n\n"), false},
		{"bytes that are not UTF-8", repeat("data: {\"type\":\"text_delta\",\"delta\":\"\xe4\"}\n\ndata: {\"type\":\"text_delta\",\"delta\":\"\xb8\x96\"}\n\n"), false},
		{"control characters", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\x01\"}\n\n"), false},
		{"a key twice", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\",\"delta\":\"b\"}\n\n"), false},
		{"more keys", repeat("data: {\"type\":\"text_delta\",\"delta\":\"a\",\"n\":\"b\"}\n\n"), false},
		{"another type", repeat("data: {\"type\":\"status\",\"delta\":\"a\"}\n\n"), false},
	} {
		stream := tt.stream + doneLine + "\n\n"
		want, total, err := joined(unmerged(stream))
		if err != nil || total < 1001 {
			t.Fatalf("%s: %d events, %v", tt.name, total, err)
		}
		got, n, err := joined(strings.NewReader(stream))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %v, %v\nwant %v", tt.name, got, err, want)
		}
		if tt.merged && n > total/10 || !tt.merged && n != total {
			t.Errorf("%s: %d events of %d", tt.name, n, total)
		}
	}
}

func TestSmallPiecesAreNotMerged(t *testing.T) {
	stream := strings.Repeat("data: {\"type\":\"text_delta\",\"delta\":\"ab\"}\n\n", 1000) + doneLine
	if _, n, err := joined(unmerged(stream)); n != 1001 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestMergedEventsAreBounded(t *testing.T) {
	event := func(n int) string {
		return "data: {\"type\":\"text_delta\",\"delta\":\"" + strings.Repeat("x", n) + "\"}\n\n"
	}
	stream := strings.Repeat(event(10), 10_000) + event(maxMerged) + strings.Repeat(event(1000), 100) + doneLine
	total := 0
	for ev, err := range testStream(strings.NewReader(stream)).Events() {
		if err != nil {
			t.Fatal(err)
		}
		if total += len(ev.Delta); ev.Size > maxMerged && len(ev.Delta) != maxMerged {
			t.Errorf("an event of %d bytes", ev.Size)
		}
	}
	if want := 10*10_000 + maxMerged + 1000*100; total != want {
		t.Errorf("%d bytes of text, want %d", total, want)
	}
}

// A key that is split over several deltas is redacted if they are merged.
func TestMergedTextIsRedacted(t *testing.T) {
	const key = "sk-4711-secret"
	var stream strings.Builder
	for range 100 {
		for _, part := range []string{"the key is ", key[:5], key[5:], " "} {
			fmt.Fprintf(&stream, "data: {\"type\":\"text_delta\",\"delta\":%q}\n\n", part)
		}
	}
	s := testStream(strings.NewReader(stream.String() + doneLine))
	s.client.redactor = APIKey(key).redactor()
	redacted := 0
	for ev, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(ev.Delta, key) {
			t.Errorf("the key is in %q", ev.Delta)
		}
		redacted += strings.Count(ev.Delta, "[redacted]")
	}
	if redacted < 80 {
		t.Errorf("redacted %d times of 100", redacted)
	}
}

// TestDeltasTakeFewAllocations bounds what a delta in a burst costs.
func TestDeltasTakeFewAllocations(t *testing.T) {
	const n = 20_000
	for name, body := range map[string]string{"v1": string(deltas(n)), "v2": string(deltasV2(n))} {
		allocs := testing.AllocsPerRun(3, func() {
			if _, _, err := joined(strings.NewReader(body)); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > n/10 {
			t.Errorf("%s: %v allocations for %d deltas", name, allocs, n)
		}
	}
}

// FuzzMerge compares a stream whose deltas are merged with the same stream in pieces
// that are too small for that. Streams are short, because reading small pieces is
// slow, but longer than the least piece that is merged.
func FuzzMerge(f *testing.F) {
	for _, s := range []string{
		"data: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\n",
		"data: {\"type\":\"text_delta\",\"delta\":\"é\"}\n\ndata: {\"type\":\"thinking_delta\",\"delta\":\"b\"}\n\n",
		"data: {\"type\": \"text_delta\", \"id\": \"1\", \"delta\": \"a\"}\r\n\r\n",
		"data: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"a\"}\n\ndata: {\"type\":\"text-start\",\"id\":\"1\"}\n\ndata: {\"type\":\"text-delta\",\"id\":\"2\",\"delta\":\"b\"}\n\n",
		"data: {\"type\":\"finish-step\"}\n\ndata: {\"type\":\"reasoning-delta\",\"id\":\"1\",\"delta\":\"a\"}\n\n",
		"data: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\n: c\ndata: {\"type\":\"text_delta\",\"delta\":\"\\n\"}\n\n",
		"event: done\ndata: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\n",
		"data: {\"type\":\"text_delta\",\"delta\":\"\xff\"}\n\ndata: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\n\n",
		"data: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\ndata: {\"x\":\ndata: {\"type\":\"text_delta\",\"delta\":\"a\"}\n\n",
	} {
		f.Add(s, uint8(200))
	}
	f.Fuzz(func(t *testing.T, part string, times uint8) {
		if len(part) > 1000 {
			return
		}
		more := min(int(times), 2000/(len(part)+1))
		stream := strings.Repeat(part, more+1) + "\n\n" + doneLine
		want, _, wantErr := joined(unmerged(stream))
		got, _, err := joined(strings.NewReader(stream))
		if !reflect.DeepEqual(got, want) || (err == nil) != (wantErr == nil) {
			t.Errorf("merged %v, %v; unmerged %v, %v", got, err, want, wantErr)
		}
	})
}
