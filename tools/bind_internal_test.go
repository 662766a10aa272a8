package tools

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever arguments come, those that are taken are valid, and come from the member
// of exactly that name.
func FuzzBind(f *testing.F) {
	for _, seed := range []string{
		`{"query":"q"}`, `{"query":"a","Query":"b"}`, `"{\"query\":\"q\",\"wait_seconds\":\"2.5\"}"`, `{"query":"\ud800","force_new":"True"}`,
		`{"wait_seconds":1e999,"query":"q"}`, `{"query":"a","query":"b"}`, `{"query":"q","continue_build":"\u201cbuild_x\u201d\n"}`, `[]`, `"\"{}\""`,
	} {
		f.Add([]byte(seed))
	}
	build := newTool(toolSpec{name: "build_automation"}, func() *inputSchema { return inputSchemaOf(reflect.TypeFor[buildInput]()) })
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			t.Skip("no message has it")
		}
		in, _, err := bind[buildInput](build, raw)
		if err != nil {
			if bad := err.Error(); len(bad) > 1000 || strings.Contains(bad, "json:") {
				t.Errorf("bind(%s): %s", raw, bad)
			}
			return
		}
		var held string
		if json.Unmarshal(raw, &held) == nil {
			raw = []byte(held)
		}
		var members map[string]json.RawMessage
		var query string
		if json.Unmarshal(raw, &members) != nil || json.Unmarshal(members["query"], &query) != nil || strings.TrimSpace(query) != in.Query {
			t.Errorf("bind(%s) has the query %q", raw, in.Query)
		}
		if n := utf8.RuneCountInString(in.Query); n < 1 || n > MaxQuery {
			t.Errorf("bind(%s) has a query of %d characters", raw, n)
		}
		if w := in.WaitSeconds; w != nil && (*w < 0 || *w > 3600) {
			t.Errorf("bind(%s) waits %d seconds", raw, *w)
		}
		if id := in.ContinueBuild; strings.ContainsAny(id, "\n\r\x00") && strings.Trim(id, "\n\r\x00") != id {
			t.Errorf("bind(%s) continues %q", raw, id)
		}
	})
}
