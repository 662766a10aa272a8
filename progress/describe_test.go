package progress_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

func TestDescribe(t *testing.T) {
	const inResult = "Live view ready: its link is in the result"
	function := func(name, id string) notte.Event {
		return notte.Event{Type: notte.EventFunctionUploaded, FunctionName: name, FunctionID: id}
	}
	updated := func(name, id, version string) notte.Event {
		ev := function(name, id)
		ev.FunctionVersion, ev.FunctionUpdated = version, true
		return ev
	}
	log := func(m string) notte.Event { return notte.Event{Type: notte.EventLog, Message: m} }
	longest := "https://view.notte.cc/?token=" + strings.Repeat("t", 188-29)
	tests := []struct {
		ev   notte.Event
		want string // "" for no line
	}{
		{status("starting"), "Status: starting"},
		{status("\x1b[1mstarting\x1b[0m\n the  agent "), "Status: starting the agent"},
		{status(" \u200b"), ""},
		{status(strings.Repeat("s", 193)), "Status: " + strings.Repeat("s", 191) + "…"},
		{using("browser_click"), "Using browser_click"},
		{using(""), "Using a tool"},

		{watch("https://view.notte.cc/s/1?token=ey.J-_"), "Watch live: https://view.notte.cc/s/1?token=ey.J-_"},
		{watch("http://127.0.0.1:8809/view/1"), "Watch live: http://127.0.0.1:8809/view/1"},
		{watch(longest), "Watch live: " + longest},
		{watch(longest + "t"), inResult},
		{watch("javascript:alert(1)"), inResult},
		{watch("https:///no-host"), inResult},
		{watch("https://notte.cc@evil.example/"), inResult},
		{watch("https://view.notte.cc/a b"), inResult},
		{watch("https://view.notte.cc/\x1b]8;;https://evil.example\a"), inResult},
		{watch("https://view.n\u043ette.cc/"), inResult},
		{watch("https://view.notte.cc/\u202egnp"), inResult},
		{watch(""), ""},

		{thread("https://anything.notte.cc/t/1"), "Thread: https://anything.notte.cc/t/1"},
		{thread(""), ""},
		{thread("https://notte.cc@evil.example/"), ""},
		{thread("https://anything.notte.cc/" + strings.Repeat("t", 200)), ""},

		{function("hn_top", "d3c31289-f28b"), "Function created: hn_top (d3c31289-f28b)"},
		{function("", "d3c31289-f28b"), "Function created: d3c31289-f28b"},
		{function("hn_top", ""), "Function created: hn_top"},
		{function("", ""), "Function created"},
		{
			function(strings.Repeat("n", 300), strings.Repeat("f", 128)),
			"Function created: " + strings.Repeat("n", 47) + "… (" + strings.Repeat("f", 128) + ")",
		},

		{updated("hn_top", "d3c31289-f28b", "v4"), "Function updated to version v4: hn_top (d3c31289-f28b)"},
		{updated("hn_top", "d3c31289-f28b", ""), "Function updated: hn_top (d3c31289-f28b)"},
		{updated("", "", "v4"), "Function updated to version v4"},
		{
			updated(strings.Repeat("n", 300), strings.Repeat("f", 128), strings.Repeat("v", 300)),
			"Function updated to version " + strings.Repeat("v", 19) + "…: " + strings.Repeat("n", 16) + "… (" + strings.Repeat("f", 128) + ")",
		},

		{notte.Event{Type: notte.EventSessionStart, Message: "5f0c"}, "Browser session started"},
		{log("page 1 of 3"), "Log: page 1 of 3"},
		{log("\x1b[32m2026-08-01 10:00:00.123\x1b[0m | \x1b[1mINFO    \x1b[0m | main:run:12 | page 1 | of 3"), "Log: page 1 | of 3"},
		{log("10:00:00 | ERROR | main | no such button"), "Log: ERROR: no such button"},
		{log("a | b | c | d"), "Log: a | b | c | d"},
		{log("10:00:00 | INFO | main | "), "Log: 10:00:00 | INFO | main |"},
		{log(""), ""},
		{log(strings.Repeat("x", 16<<20)), "Log: " + strings.Repeat("x", 194) + "…"},

		{thinking("Let me look"), ""},
		{writing("Done."), ""},
		{notte.Event{Type: notte.EventToolResult, Size: 100}, ""},
		{notte.Event{Type: notte.EventMessageComplete, Role: "assistant"}, ""},
		{notte.Event{Type: notte.EventDone, FunctionID: "d3c31289"}, ""},
		{notte.Event{Type: notte.EventError, Error: "broken"}, ""},
		{notte.Event{Type: notte.EventTimeout, Reason: "late"}, ""},
		{notte.Event{Type: notte.EventCancelled, Reason: "user"}, ""},
		{notte.Event{Type: notte.EventResult, Message: "{}"}, ""},
		{notte.Event{Type: "new_in_2027", Status: "s", Message: "m"}, ""},
		{notte.Event{}, ""},
	}
	for _, tt := range tests {
		got, ok := progress.Describe(tt.ev)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Describe(%s) = %q, %v; want %q", tt.ev.Type, got, ok, tt.want)
		}
		if n := utf8.RuneCountInString(got); n > progress.MaxMessage {
			t.Errorf("Describe(%s) has %d characters", tt.ev.Type, n)
		}
	}
}

func TestSnippet(t *testing.T) {
	words := strings.Repeat("lorem ipsum dolor ", 10) // 180 characters
	tests := map[string]struct {
		deltas []notte.Event
		want   string
	}{
		"short": {
			[]notte.Event{thinking("Let me"), thinking(" look\n\nhere")},
			"Thinking: Let me look here",
		},
		"cut at a word": {
			[]notte.Event{writing(words)},
			"Writing: …" + strings.TrimSpace(strings.Repeat("lorem ipsum dolor ", 7)[12:]),
		},
		"nowhere to cut": {
			[]notte.Event{writing(strings.Repeat("漢", 500))},
			"Writing: …" + strings.Repeat("漢", 119),
		},
		"many deltas": {
			slices.Repeat([]notte.Event{writing("漢字 ")}, 5000),
			"Writing: …" + strings.TrimSpace(strings.Repeat("漢字 ", 39)),
		},
		"a huge one": {
			[]notte.Event{writing(strings.Repeat("x", 16<<20) + " and that is all.")},
			"Writing: …" + strings.Repeat("x", 102) + " and that is all.",
		},
		"a rune cut by the window": {
			[]notte.Event{writing(strings.Repeat("é", 2000)), writing("!")},
			"Writing: …" + strings.Repeat("é", 118) + "!",
		},
		"mostly blank": {
			[]notte.Event{writing(strings.Repeat(" ", 3000) + "end")},
			"Writing: …end",
		},
		"escapes over several deltas": {
			[]notte.Event{thinking("a \x1b[3"), thinking("1mred"), thinking("\x1b]0;ti"), thinking("tle\a word")},
			"Thinking: a red word",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := newest(2*time.Second, tt.deltas...); got != tt.want {
				t.Errorf("snippet\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestQuietLineIsBounded(t *testing.T) {
	got := newest(11*time.Second, status(strings.Repeat("s", 300)))
	if n := utf8.RuneCountInString(got); n != progress.MaxMessage || !strings.HasSuffix(got, "s…)") {
		t.Errorf("the sign of life has %d characters: %q", n, got)
	}
}
