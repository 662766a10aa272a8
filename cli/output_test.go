package cli

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func TestParseVariables(t *testing.T) {
	tests := []struct {
		words []string
		want  string // empty: an error
	}{
		{[]string{"count=3"}, `{"count":"3"}`},
		{[]string{"a=", "b==x"}, `{"a":"","b":"=x"}`},
		{[]string{"url=https://x.example/?a:=b"}, `{"url":"https://x.example/?a:=b"}`},
		{[]string{"n:=3", `o:={"a": [1, null]}`, "s:=\"t\""}, `{"n":3,"o":{"a":[1,null]},"s":"t"}`},
		{[]string{"big:=12345678901234567890"}, `{"big":12345678901234567890}`},
		{[]string{"count"}, ""},
		{[]string{"=3"}, ""},
		{[]string{":=3"}, ""},
		{[]string{"n:="}, ""},
		{[]string{"n:=three"}, ""},
		{[]string{"n=1", "n:=2"}, ""},
	}
	for _, tt := range tests {
		got, err := parseVariables(tt.words)
		if (err != nil) != (tt.want == "") || string(got) != tt.want {
			t.Errorf("parseVariables(%q) = %s, %v; want %s", tt.words, got, err, tt.want)
		}
	}
	if got, err := parseVariables(nil); got != nil || err != nil {
		t.Errorf("parseVariables(nil) = %s, %v", got, err)
	}
}

func FuzzParseVariables(f *testing.F) {
	f.Add("count=3", "filter:={}")
	f.Add("a:==", "=")
	f.Fuzz(func(t *testing.T, one, two string) {
		got, err := parseVariables([]string{one, two})
		var object map[string]any
		if err == nil && (json.Unmarshal(got, &object) != nil || len(object) == 0) {
			t.Errorf("%q and %q made %q", one, two, got)
		}
	})
}

func FuzzEscapeInvisible(f *testing.F) {
	f.Add("{\"a\": \"\u009b31m \u202e \u007f\",\n \"b\": [\"\u200d\"]}")
	f.Fuzz(func(t *testing.T, text string) {
		var want, got any
		if json.Unmarshal([]byte(text), &want) != nil {
			t.Skip()
		}
		out := escapeInvisible(text)
		for _, r := range out {
			if r >= 0x7f && r <= 0x9f || r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == '\u202e' {
				t.Errorf("%q is left in %q", r, out)
			}
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q: %v", text, out, err)
		}
	})
}

func TestFormatCost(t *testing.T) {
	for usd, want := range map[float64]string{0: "$0.00", 0.43: "$0.43", 12.345: "$12.35", 0.0042: "$0.0042"} {
		if got := formatCost(&jobs.Build{TotalCostUSD: &usd}, false); got != want {
			t.Errorf("formatCost(%v) = %q, want %q", usd, got, want)
		}
	}
	if got := formatCost(&jobs.Build{Started: true}, true); got != "unknown" {
		t.Errorf("formatCost(nil) = %q: an unknown cost is not zero", got)
	}
}

func TestPageBreaksRowsAndNotLines(t *testing.T) {
	p := page{width: 24}
	p.row("Does", "one two three four")
	p.row("Site", " ")
	p.line("Run it", "anything-mcp run one count=5")
	want := "Does        one two\n            three four\nRun it      anything-mcp run one count=5\n"
	if got := p.text.String(); got != want {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
}
