package notte

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// testStream is a build's stream over r.
func testStream(r io.Reader) *Stream {
	return loggedStream(r, slog.DiscardHandler)
}

// testClient is a client without a key whose APIs are nowhere.
func testClient(h slog.Handler) *Client {
	return &Client{log: slog.New(h), api: endpoint{FunctionsAPI, nowhere}, anything: endpoint{AnythingAPI, nowhere}}
}

var nowhere = new(url.URL)

func loggedStream(r io.Reader, h slog.Handler) *Stream {
	ctx, cancel := context.WithCancelCause(context.Background())
	body := watch(io.NopCloser(r), 0, nil)
	s := &Stream{client: testClient(h), op: "follow the build", host: "example.test", ctx: ctx, cancel: cancel, events: true, body: body, reader: body}
	s.decoder.turn = newTurn(s.client, s.skip)
	return s
}

// pieces reads s in pieces of at most size bytes.
func pieces(s string, size int) io.Reader {
	return &piecewise{strings.NewReader(s), size}
}

type piecewise struct {
	r    io.Reader
	size int
}

func (p *piecewise) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.size)]) }

// eventsOf returns the events of a stream over r, one a line, and its error.
func eventsOf(t *testing.T, r io.Reader) (string, error) {
	t.Helper()
	var lines []string
	for ev, err := range testStream(r).Events() {
		if err != nil {
			return strings.Join(lines, "\n"), err
		}
		lines = append(lines, describe(ev))
	}
	return strings.Join(lines, "\n"), nil
}

// describe returns an event's type and those of its fields that are set.
func describe(ev Event) string {
	s := string(ev.Type)
	v := reflect.ValueOf(ev)
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.IsZero() || name == "Type" || name == "Size":
		case name == "TotalCostUSD":
			s += fmt.Sprintf(" cost=%v", *ev.TotalCostUSD)
		case name == "Result":
			s += fmt.Sprintf(" result=%s %s", ev.Result.Status, ev.Result.Result)
		default:
			s += fmt.Sprintf(" %s", f)
		}
	}
	return s
}

const doneLine = `data: {"type":"done","total_cost_usd":0.43}`

func TestStreamTolerates(t *testing.T) {
	for _, tt := range []struct{ name, stream, want string }{
		{"as documented", "data: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"no blank line at the end", "data: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine + "\n", "status a\ndone cost=0.43"},
		{"no line end at the end", "data: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine, "status a\ndone cost=0.43"},
		{"no blank lines at all", "data: {\"type\":\"status\",\"status\":\"a\"}\n" + doneLine + "\n", "status a\ndone cost=0.43"},
		{"CRLF", "data: {\"type\":\"status\",\"status\":\"a\"}\r\n\r\n" + doneLine + "\r\n\r\n", "status a\ndone cost=0.43"},
		{"CR", "data: {\"type\":\"status\",\"status\":\"a\"}\r\r" + doneLine + "\r\r", "status a\ndone cost=0.43"},
		{"mixed line ends", "data: {\"type\":\"status\",\"status\":\"a\"}\r\n\ndata: {\"type\":\"status\",\"status\":\"b\"}\r\r\n" + doneLine + "\n\r", "status a\nstatus b\ndone cost=0.43"},
		{"byte order mark", "\uFEFF" + doneLine + "\n\n", "done cost=0.43"},
		{"byte order mark, then a comment", "\uFEFF: hello\n" + doneLine + "\n\n", "done cost=0.43"},
		{"comments", ": ping\n\n:\ndata: {\"type\":\"status\",\"status\":\"a\"}\n: in between\n\n: ping\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"other fields", "id: 1\nretry: 10\nnew: x\nid\ndata: {\"type\":\"status\",\"status\":\"a\"}\nid: 2\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"event field beside a type", "event: message\ndata: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"event field for a type", "event: status\ndata: {\"status\":\"a\"}\n\nevent:done\ndata: {\"total_cost_usd\":1}\n\n", "status a\ndone cost=1"},
		{"event field, then none", "event: status\ndata: {\"status\":\"a\"}\n\ndata: {\"status\":\"a\"}\n\n" + doneLine + "\n\n", "status a\n\ndone cost=0.43"},
		{"no space after the colon", "data:{\"type\":\"status\",\"status\":\" a\"}\n\n" + doneLine + "\n\n", "status  a\ndone cost=0.43"},
		{"one JSON on many lines", "data: {\ndata:   \"type\": \"status\",\ndata:\ndata:   \"status\": \"a\"\ndata: }\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"many JSONs in one event", "data: {\"type\":\"status\",\"status\":\"a\"}\ndata: {\"type\":\"status\",\"status\":\"b\"}\n" + doneLine + "\n\n", "status a\nstatus b\ndone cost=0.43"},
		{"objects printed in a list", "data: {\"type\":\"status\",\"status\":\"a\",\"list\":[\ndata: {\"type\":\"done\"},\ndata: {\"type\":\"done\"}\ndata: ]}\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"a broken line among good ones", "data: {\"type\":\"sta\n\ndata: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"broken lines without blank ones", "data: {\"type\":\ndata: {\"type\":\"status\",\"status\":\"a\"}\ndata: {\"x\":1\ndata: {\"type\":\"status\",\"status\":\"b\"}\ndata: {\"s\":\"\n" + doneLine + "\n", "status a\nstatus b\ndone cost=0.43"},
		{"an open bracket before an event", "data: see [1,\ndata: {\"type\":\"status\",\"status\":\"a\"}\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"no JSON", "data: hello\n\ndata: [DONE]\n\ndata: 7\n\ndata: null\n\ndata: \"x\"\n\ndata: [1,2]\n\ndata: }{\n\n" + doneLine + "\n\n", "done cost=0.43"},
		{"no field at all", "{\"type\":\"done\"}\n\nnonsense\n\n" + doneLine + "\n\n", "done cost=0.43"},
		{"braces and quotes in strings", "data: {\"type\":\"status\",\"status\":\"}{\\\"][\\\\\"}\n\n" + doneLine + "\n\n", "status }{\"][\\\ndone cost=0.43"},
		{"runes", "data: {\"type\":\"text_delta\",\"delta\":\"é 世界 🙂\"}\n\n" + doneLine + "\n\n", "text_delta é 世界 🙂\ndone cost=0.43"},
		{"bytes that are no UTF-8", "data: {\"type\":\"text_delta\",\"delta\":\"a\xffb\"}\n\n" + doneLine + "\n\n", "text_delta a\uFFFDb\ndone cost=0.43"},
		{"unknown types", "data: {\"type\":\"novelty\",\"x\":1}\n\ndata: {\"type\":\"result\",\"message\":\"no run here\"}\n\n" + doneLine + "\n\n", "novelty\nresult\ndone cost=0.43"},
		{"what follows the end", doneLine + "\n\ndata: {\"type\":\"status\",\"status\":\"late\"}\n\n", "done cost=0.43"},
		{"what follows the end, in its event", doneLine + "\ndata: {\"type\":\"status\",\"status\":\"late\"}\n\n", "done cost=0.43"},
		{"many levels", "data: {\"type\":\"status\",\"status\":\"a\",\"x\":" + strings.Repeat("[", 900) + strings.Repeat("]", 900) + "}\n\n" + doneLine + "\n\n", "status a\ndone cost=0.43"},
		{"too many levels", "data: {\"type\":\"status\",\"status\":\"a\",\"x\":" + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}\n\n" + doneLine + "\n\n", "done cost=0.43"},
		{"Python's numbers", "data: {\"type\":\"status\",\"status\":\"NaN\",\"x\":[NaN,-Infinity,Infinity]}\n\n" + doneLine + "\n\n", "status NaN\ndone cost=0.43"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 5, 64, 4096, 1 << 20} {
				got, err := eventsOf(t, pieces(tt.stream, size))
				if got != tt.want || err != nil {
					t.Fatalf("in pieces of %d: got %q, %v; want %q", size, got, err, tt.want)
				}
			}
		})
	}
}

func TestStreamCut(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for _, tt := range []struct {
		name, stream, want string
		end                error
	}{
		{"at once", "", "", io.EOF},
		{"between events", "data: {\"type\":\"status\",\"status\":\"a\"}\n\n", "status a", io.EOF},
		{"in an event", "data: {\"type\":\"status\",\"status\":\"a\"}\n\ndata: {\"type\":\"done\",\"tot", "status a", io.EOF},
		{"before a line end", "data: {\"type\":\"status\",\"status\":\"a\"}", "status a", io.EOF},
		{"reset", "data: {\"type\":\"status\",\"status\":\"a\"}", "status a", reset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := io.MultiReader(strings.NewReader(tt.stream), &failing{tt.end})
			got, err := eventsOf(t, r)
			if got != tt.want {
				t.Errorf("got %q before the end, want %q", got, tt.want)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v does not wrap io.ErrUnexpectedEOF", err)
			}
			if tt.end != io.EOF && !errors.Is(err, tt.end) {
				t.Errorf("%v does not wrap its cause", err)
			}
		})
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestStreamIsLive checks that each event comes as soon as its last byte has come,
// before the next byte is sent.
func TestStreamIsLive(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n", "\n\n", "\r\n\r\n"} {
		r, w := io.Pipe()
		seen := make(chan Event)
		go func() {
			defer close(seen)
			for ev := range testStream(r).Events() {
				seen <- ev
			}
		}()
		for i := range 3 {
			fmt.Fprintf(w, "data: {\"type\":\"status\",\"status\":\"%d\"}%s", i, end)
			if ev := <-seen; ev.Status != fmt.Sprint(i) {
				t.Errorf("with %q: event %d is %v", end, i, ev)
			}
		}
		io.WriteString(w, doneLine+end)
		if ev := <-seen; ev.Type != EventDone {
			t.Errorf("with %q: the end is %v", end, ev)
		}
		if _, open := <-seen; open {
			t.Error("an event after the end")
		}
		// The stream ended, but its connection did not.
	}
}

func TestStreamSkipsLargeEvents(t *testing.T) {
	large := func(size int) string {
		head, tail := `data: {"type":"tool_result","content":"`, "\"}\n"
		return head + strings.Repeat("x", size) + tail
	}
	var log bytes.Buffer
	stream := large(16<<20) + "\n" + large(17<<20) + large(40<<20) + "\ndata: {\"type\":\"status\",\"status\":\"a\"}\n\n" + doneLine + "\n\n"
	var got []string
	for ev, err := range loggedStream(pieces(stream, 4096), slog.NewTextHandler(&log, nil)).Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(ev.Type, ev.Size>>20))
	}
	if want := "[tool_result16 status0 done0]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings, want one for the first skipped event and one for all:\n%s", n, log.String())
	}
	if strings.Contains(log.String(), "xxx") {
		t.Error("the log holds content")
	}
}

// TestReaderIsSmallWhenQuiet checks that the memory of large events and of bursts
// is not kept for the rest of a build, which may be quiet for minutes.
func TestReaderIsSmallWhenQuiet(t *testing.T) {
	quiet := strings.Repeat(doneLine+"\n\n", 1)
	for name, busy := range map[string]string{
		"after a large event": "data: " + strings.Repeat("x", 4<<20) + "\n\n",
		"after a burst":       strings.Repeat(doneLine+"\n\n", 10_000),
	} {
		r := newEventReader(io.MultiReader(strings.NewReader(busy), strings.NewReader(quiet), strings.NewReader(quiet), strings.NewReader(quiet), strings.NewReader(quiet)), nil)
		for r.err == nil {
			r.next()
		}
		if n := cap(r.in) + cap(r.out); n > 4<<10 {
			t.Errorf("%s: %d bytes are kept", name, n)
		}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add("data: {\"type\":\"status\",\"status\":\"a\"}\r\n\r\n"+doneLine, uint8(3))
	f.Add("\uFEFFevent: done\rdata: {\rdata: \"a\": [1,\"}\\\"\"]}\r\r", uint8(1))
	f.Add("data: {\ndata: {\"type\":\"status\"}\nevent: x\ndata:}\n\n:c\nid: 3\n", uint8(2))
	f.Fuzz(func(t *testing.T, stream string, size uint8) {
		whole, wholeErr := eventsOf(t, strings.NewReader(stream))
		parts, partsErr := eventsOf(t, pieces(stream, int(size)+1))
		if whole != parts || (wholeErr == nil) != (partsErr == nil) {
			t.Errorf("at once %q, %v; in pieces of %d %q, %v", whole, wholeErr, size, parts, partsErr)
		}
	})
}
