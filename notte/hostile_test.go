package notte

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// TestHostileEventsAreCheap decodes events of 4 MiB that are made to be expensive.
// They may take 40 times as long as an event of that size whose content is one
// string, and take up to 10 times as long. Before a fix they took 90 times as long,
// because of a replacer for each string and lists that were read at each level.
func TestHostileEventsAreCheap(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	const size = 4 << 20
	plain := fastest(t, `{"type":"status","x":"`+strings.Repeat("x", size)+`"}`, 0)
	nested := strings.Repeat("[", 990) + strings.Repeat("]", 990)
	lists := "[" + strings.Repeat(nested+",", size/len(nested)) + "1]"
	deep := strings.Repeat("[", 980) + strings.Repeat("1,", size/2) + "1" + strings.Repeat("]", 980)
	for name, data := range map[string]string{
		"NaN before many strings":          `{"type":"status","x":[NaN,` + strings.Repeat(`"a",`, size/4) + `1]}`,
		"many NaN":                         `{"type":"status","x":[` + strings.Repeat(`NaN,`, size/4) + `1]}`,
		"nested lists":                     `{"type":"status","x":` + lists + `}`,
		"nested lists for a result":        `{"type":"result","message":{"status":"closed","result":` + lists + `}}`,
		"nested lists in a string":         `{"type":"result","message":"{\"result\":` + lists + `}"}`,
		"a list deep down for a result":    `{"type":"result","result":` + deep + `}`,
		"a list deep down for an error":    `{"type":"error","error":` + deep + `}`,
		"a list for an error":              `{"type":"error","detail":` + lists + `}`,
		"a list for the path of an error":  `{"type":"error","detail":[{"msg":"m","loc":` + lists + `}]}`,
		"a million keys":                   `{"type":"result"` + strings.Repeat(`,"a":1`, size/6) + `}`,
		"many functions in data":           `{"type":"data-x","data":[` + strings.Repeat(`{"function_id":"f1"},`, (maxSearch-100)/22) + `1]}`,
		"many keys in data":                `{"type":"data-x","data":{` + strings.Repeat(`"an_Unknown-KEY":1,`, (maxSearch-100)/20) + `"a":1}}`,
		"JSON in strings, deep":            `{"type":"data-x","data":` + quotedDeep(12, `{"a":[`+strings.Repeat(`1,`, 20_000)+`1]}`) + `}`,
		"many strings that are not JSON":   `{"type":"data-x","data":[` + strings.Repeat(`"{",`, (maxSearch-100)/4) + `1]}`,
		"many strings that are JSON":       `{"type":"data-x","data":[` + strings.Repeat(`"{}",`, (maxSearch-100)/5) + `1]}`,
		"nested lists in data":             `{"type":"data-x","data":` + "[" + strings.Repeat(nested+",", (maxSearch-100)/(len(nested)+1)) + `1]}`,
		"a million lines for a failed run": `{"type":"result","message":{"status":"failed","result":"` + strings.Repeat(`\n`, size/2) + `"}}`,
	} {
		if took := fastest(t, data, 40*plain); took > 40*plain {
			t.Errorf("%s: %v, and %v for a plain event", name, took, plain)
		}
	}
}

// quotedDeep returns v in a string in an object, and that likewise, n times.
func quotedDeep(n int, v string) string {
	for range n {
		if next := `{"a":` + quoted(v) + `}`; len(next) < maxSearch {
			v = next
		}
	}
	return v
}

// fastest returns the shortest time of up to five in which data was read as an
// event, or the first that is short enough.
func fastest(t *testing.T, data string, enough time.Duration) time.Duration {
	shortest := time.Hour
	for range 5 {
		begin := time.Now()
		ev, err := decodeOne("", data)
		if err != nil {
			t.Fatal(err)
		}
		if ev.Result != nil {
			ev.Result.Failure()
		}
		if shortest = min(shortest, time.Since(begin)); shortest <= enough {
			break
		}
	}
	return shortest
}

// TestReplaceNaNTakesNoAllocationPerString compares the allocations for a text of
// many strings with those for a text whose numbers are all finite.
func TestReplaceNaNTakesNoAllocationPerString(t *testing.T) {
	s := "[NaN," + strings.Repeat(`"a",`, 10_000) + "Infinity]"
	if n := testing.AllocsPerRun(10, func() { replaceNaN(s) }); n > 20 {
		t.Errorf("%v allocations", n)
	}
}

func TestReplaceNaN(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"[1,-2]":                    "[1,-2]",
		"[NaN,Infinity,-Infinity]":  "[null,null,null]",
		`{"NaN":NaN,"a":"\"NaN\""}`: `{"NaN":null,"a":"\"NaN\""}`,
		`"NaN`:                      `"NaN`,
		`"NaN\`:                     `"NaN\`,
		"NaN":                       "null",
		"-Inf":                      "-Inf",
		"--Infinity":                "-null",
	} {
		if got := replaceNaN(in); got != want {
			t.Errorf("replaceNaN(%s) = %s, want %s", in, got, want)
		}
	}
}

// TestListsAreBounded checks that a list of millions becomes a few items.
func TestListsAreBounded(t *testing.T) {
	many := gjson.Parse("[" + strings.Repeat(`"a",`, 100_000) + `"last"]`)
	if page := parsePage(gjson.Parse(`{"items":` + many.Raw + `}`)); len(page.Items) != maxItems {
		t.Errorf("%d items of a page", len(page.Items))
	}
	if all := parseVariables(many); len(all) != maxItems {
		t.Errorf("%d variables", len(all))
	}
	if logs := parseLogs(many); len(logs) != maxLogs || logs[0] != "a" || logs[maxLogs-1] != "last" {
		t.Errorf("%d lines of a log, the last is %q", len(logs), logs[len(logs)-1])
	}
	if logs := parseLogs(gjson.Parse(`["a","b"]`)); len(logs) != 2 {
		t.Errorf("%d lines of a short log", len(logs))
	}
	if s := errorText(many, 4); len(s) > 100 {
		t.Errorf("an error of %d bytes", len(s))
	}
	if s := errorText(gjson.Parse(`[[[[["too deep"]]]]]`), 4); s != "" {
		t.Errorf("an error from too deep: %q", s)
	}
}

// TestStreamContentIsNotLogged sends long data that is not an event, with line ends
// and a secret link in it.
func TestStreamContentIsNotLogged(t *testing.T) {
	const secret = "https://viewer.example/?token=4711"
	var log bytes.Buffer
	var stream strings.Builder
	for _, part := range []string{
		secret, `{"type":"status","status":"` + secret, `[` + strings.Repeat(`"`+secret+`",`, 200_000) + `1]`,
		strings.Repeat("[", 5000) + secret, "{\ndata: " + secret,
	} {
		stream.WriteString("event: " + secret + "\ndata: " + part + "\n\n")
	}
	for ev, err := range loggedStream(strings.NewReader(stream.String()), slog.NewTextHandler(&log, nil)).Events() {
		if err == nil || strings.Contains(err.Error(), "4711") {
			t.Errorf("%v, %v", ev, err)
		}
	}
	if s := log.String(); strings.Contains(s, "viewer.example") || len(s) > 500 || strings.Count(s, "\n") != 2 {
		t.Errorf("the log holds %.1000s", s)
	}
}

// TestLargeToolOutputIsSkipped has a tool return 10 MiB: its size is told, nothing
// is searched for in it, and the log says so once without its content.
func TestLargeToolOutputIsSkipped(t *testing.T) {
	var log bytes.Buffer
	stream := chunks(startStep, `{"type":"data-function","data":{"id":"f1"}}`,
		`{"type":"tool-output-available","toolCallId":"c","output":{"function_id":"f2","page":"`+strings.Repeat(`\n`, 5<<20)+`"}}`, finish, end)
	largest := 0
	for ev, err := range loggedStream(strings.NewReader(stream), slog.NewTextHandler(&log, nil)).Events() {
		if err != nil || ev.FunctionID == "f2" {
			t.Error(ev, err)
		}
		if ev.Type == EventToolResult {
			largest = ev.Size
		}
	}
	if s := log.String(); largest < 10<<20 || strings.Count(s, "\n") != 1 || !strings.Contains(s, "too long to be searched") || strings.Contains(s, "f2") {
		t.Errorf("a result of %d bytes; the log holds %.500s", largest, s)
	}
}
