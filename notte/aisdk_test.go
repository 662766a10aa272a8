package notte

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// readByTheSDK is what the AI SDK's own reader read from a stream.
type readByTheSDK struct {
	Text      string // of the last step
	Reasoning string
	Tools     []string
	Data      []string // types of the data-* chunks that stay in the message
	Metadata  map[string]any
	Error     string // its first
}

// TestStreamsOfTheAISDK reads streams that the AI SDK itself wrote, in the versions
// 5 to 7, and compares what comes of them with what the SDK's own reader read. See
// testdata/aisdk/streams.mjs.
func TestStreamsOfTheAISDK(t *testing.T) {
	const functionID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	ends := map[string]struct{ end, function string }{
		"agent":               {"done cost=0.4", "tool"},
		"tool fails":          {"done the model reached its length limit, so the work may be incomplete", ""},
		"preliminary outputs": {"done", "tool"},
		"model fails":         {"error overloaded", ""},
		"data":                {"done cost=0.25", "data"},
		"interleaved":         {"done the stream ended without saying that the build was finished", ""},
		"merged":              {"done", ""},
		"throws":              {"timeout The agent timed out after 600 s", ""},
		"abort":               {"cancelled stopped by the user", ""},
		"approval":            {"done the model stopped at a call of a tool, so the work may be incomplete", ""},
		"step again":          {"done", ""},
		"kept alive":          {"done", ""},
	}
	for _, version := range []string{"5", "6", "7"} {
		archive, err := txtar.ParseFile("testdata/aisdk/ai" + version + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(archive.Files, 2) {
			name := strings.TrimSuffix(pair[0].Name, ": stream")
			t.Run(version+"/"+name, func(t *testing.T) {
				var want readByTheSDK
				if err := json.Unmarshal(pair[1].Data, &want); err != nil || pair[1].Name != name+": read" {
					t.Fatal(pair[1].Name, err)
				}
				for _, size := range []int{1, 1 << 20} {
					got, end, function := readAsJobs(t, string(pair[0].Data), size)
					if got.Text != want.Text || got.Reasoning != want.Reasoning || !slices.Equal(got.Tools, want.Tools) {
						t.Errorf("in pieces of %d: got %+v, the SDK %+v", size, got, want)
					}
					if !strings.HasSuffix(end, want.Error) {
						t.Errorf("in pieces of %d: ended with %q, and the SDK's error is %q", size, end, want.Error)
					}
					if version == "5" && name == "abort" {
						end += " stopped by the user" // which that version does not tell
					}
					wantFunction := ""
					if ends[name].function != "" {
						wantFunction = functionID + " " + ends[name].function
					}
					if end != ends[name].end || function != wantFunction {
						t.Errorf("in pieces of %d: ended with %q, function %q", size, end, function)
					}
				}
			})
		}
	}
}

// readAsJobs returns what jobs keeps of a stream, its terminal event, and the last
// function with the place that named it.
func readAsJobs(t *testing.T, stream string, size int) (read readByTheSDK, end, function string) {
	for ev, err := range testStream(pieces(stream, size)).Events() {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case EventToolStart:
			read.Tools = append(read.Tools, ev.Name)
		case EventFunctionUploaded:
			function = ev.FunctionID + " " + ev.FunctionFrom
		}
		if ev.Terminal() {
			end = describe(ev)
		}
	}
	read.Text, read.Reasoning = answerOf(t, stream, size)
	return read, end, function
}
