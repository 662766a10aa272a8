package notte

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

// TestHalvesOfACharacter reads deltas that are cut between the two escapes of an
// emoji, in both languages, from deltas as JSON text and from whole streams.
func TestHalvesOfACharacter(t *testing.T) {
	const emoji = "\U0001F600"
	for _, tt := range []struct {
		situation string
		deltas    []string // in JSON, without the quotes; "-" for a delta of another text, "." for another event
		want      string
	}{
		{"the report", []string{`\ud83d`, `\ude00`}, emoji},
		{"within a text", []string{`a \ud83d`, `\ude00 b`}, "a " + emoji + " b"},
		{"in capitals", []string{`\uD83D`, `\uDE00`}, emoji},
		{"a second one at once", []string{`\ud83d`, `\ude00\ud83d`, `\ude00`}, emoji + emoji},
		{"an empty delta between", []string{`\ud83d`, ``, `\ude00`}, emoji},
		{"another text between", []string{`\ud83d`, `-`, `\ude00`}, emoji},
		{"another event between", []string{`\ud83d`, `.`, `\ude00`}, "\uFFFD\uFFFD"},
		{"plain deltas around", append(append(strings.Split(strings.Repeat("ab,", 200), ","), `\ud83d`, `\ude00`), strings.Split(strings.Repeat("cd,", 200), ",")...),
			strings.Repeat("ab", 200) + emoji + strings.Repeat("cd", 200)},
		{"whole", []string{`\ud83d\ude00`, `a`}, emoji + "a"},

		{"no second half", []string{`\ud83d`, `a`}, "\uFFFDa"},
		{"no second half, and an escape", []string{`\ud83d`, `\u00e9`}, "\uFFFDé"},
		{"no second half, and another first one", []string{`\ud83d`, `\ud83d\ude00`}, "\uFFFD" + emoji},
		{"no second half, and the end", []string{`a\ud83d`}, "a\uFFFD"},
		{"no first half", []string{`a`, `\ude00b`}, "a\uFFFDb"},
		{"the halves in the wrong order", []string{`\ude00`, `\ud83d`}, "\uFFFD\uFFFD"},
		{"text that looks like a half", []string{`a\\ud83d`, `\\ude00`}, `a\ud83d\ude00`},
		{"a backslash before a half", []string{`\\\ud83d`, `\ude00`}, `\` + emoji},
	} {
		for _, language := range []struct{ name, delta, other, event, end string }{
			{"v1", `{"type":"text_delta","delta":"%s"}`, `{"type":"thinking_delta","delta":"x"}`, `{"type":"status","status":"a"}`, doneLine},
			{"v1 thinking", `{"type":"thinking_delta","delta":"%s"}`, `{"type":"text_delta","delta":"x"}`, `{"type":"status","status":"a"}`, doneLine},
			{"v2", `{"type":"text-delta","id":"t1","delta":"%s"}`, `{"type":"reasoning-delta","id":"r1","delta":"x"}`, `{"type":"data-status","data":"a"}`, "data: [DONE]"},
			{"v2 reasoning", `{"type":"reasoning-delta","id":"r1","delta":"%s"}`, `{"type":"text-delta","id":"t1","delta":"x"}`, `{"type":"data-status","data":"a"}`, "data: [DONE]"},
			{"v2 with metadata", `{"type":"text-delta","id":"t1","delta":"%s","providerMetadata":{}}`, `{"type":"text-delta","id":"t2","delta":""}`, `{"type":"data-status","data":"a"}`, "data: [DONE]"},
		} {
			var stream strings.Builder
			for _, d := range tt.deltas {
				event := fmt.Sprintf(language.delta, d)
				switch d {
				case "-":
					event = language.other
				case ".":
					event = language.event
				}
				stream.WriteString("data: " + event + "\n\n")
			}
			kind := EventTextDelta
			if strings.Contains(language.name, "thinking") || strings.Contains(language.name, "reasoning") {
				kind = EventThinkingDelta
			}
			stream.WriteString(language.end + "\n\n")
			for _, size := range []int{1, minMerge - 1, 1 << 20} {
				var got string
				for ev, err := range testStream(pieces(stream.String(), size)).Events() {
					if err != nil {
						t.Errorf("%s, %s: %v", tt.situation, language.name, err)
					}
					if ev.Type == kind {
						got += ev.Delta
					}
				}
				if got != tt.want {
					t.Errorf("%s, %s, in pieces of %d: %q, want %q", tt.situation, language.name, size, got, tt.want)
				}
			}
		}
	}
}

// Texts of many blocks may end in a half. The memory for them is bounded.
func TestHalvesAreBounded(t *testing.T) {
	var h halves
	for i := range 10 * maxHalves {
		if got := h.join(textDelta, fmt.Sprint(i), gjson.Parse(`"a\ud83d"`)).Str; got != "a" && i < maxHalves || got != "a\uFFFD" && i >= maxHalves {
			t.Errorf("the delta of block %d is %q", i, got)
		}
	}
	if len(h) != maxHalves {
		t.Errorf("%d halves are kept", len(h))
	}
}

// FuzzHalves compares a text that is cut into two deltas anywhere between its escapes
// with the same text in one delta.
func FuzzHalves(f *testing.F) {
	f.Add("a\U0001F600b", uint(3))
	f.Add("\U0001F600\U0001F601é", uint(7))
	f.Fuzz(func(t *testing.T, s string, at uint) {
		var escapes []string
		for _, unit := range utf16.Encode([]rune(s)) {
			escapes = append(escapes, fmt.Sprintf(`\u%04x`, unit))
		}
		cut := int(at % uint(len(escapes)+1))
		var stream strings.Builder
		for _, part := range [][]string{escapes[:cut], escapes[cut:]} {
			fmt.Fprintf(&stream, "data: {\"type\":\"text_delta\",\"delta\":\"%s\"}\n\n", strings.Join(part, ""))
		}
		got, _, err := joined(strings.NewReader(stream.String() + doneLine + "\n\n"))
		want, _, wantErr := joined(strings.NewReader(fmt.Sprintf("data: {\"type\":\"text_delta\",\"delta\":\"%s\"}\n\n%s\n\n", strings.Join(escapes, ""), doneLine)))
		if err != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q cut at %d: %v, %v; want %v, %v", s, cut, got, err, want, wantErr)
		}
	})
}
