package text_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

func TestRedact(t *testing.T) {
	r := text.NewRedactor(" key-4711 ", `quo"ted\key`, "a b/c+d", "abc", "")
	for _, c := range []struct{ why, in, want string }{
		{"nothing to hide", "nothing to hide", "nothing to hide"},
		{"twice", "key-4711key-4711", "[redacted][redacted]"},
		{"in a header", "Bearer key-4711.", "Bearer [redacted]."},
		{"as it is", `it is quo"ted\key`, "it is [redacted]"},
		{"quoted", `msg="it is quo\"ted\\key"`, `msg="it is [redacted]"`},
		{"quoted twice", `{"a":"{\"b\":\"quo\\\"ted\\\\key\"}"}`, `{"a":"{\"b\":\"[redacted]\"}"}`},
		{"in a query", "?k=a+b%2Fc%2Bd", "?k=[redacted]"},
		{"in a path, lower case", "/a%20b%2fc+d", "/[redacted]"},
		{"too short to be a secret", "abc", "abc"},
	} {
		if got := r.Redact(c.in); got != c.want {
			t.Errorf("%s: Redact(%q) = %q, want %q", c.why, c.in, got, c.want)
		}
	}
}

func TestRedactLine(t *testing.T) {
	r := text.NewRedactor("key-4711")
	for _, c := range []struct {
		why, in string
		limit   int
		want    string
	}{
		{"split by a colour", "a key-\x1b[31m4711 b", 40, "a [redacted] b"},
		{"split by an invisible character", "key\u200b-4711", 40, "[redacted]"},
		{"cut in the middle", "abc key-4711", 8, "abc [re…"},
		{"cut in the middle of the input", strings.Repeat("\x1b[0m", 40) + "key" + strings.Repeat("\x00", 1000) + "-4711", 10, "…"},
	} {
		if got := r.RedactLine(c.in, c.limit); got != c.want {
			t.Errorf("%s: RedactLine = %q, want %q", c.why, got, c.want)
		}
	}
}

func TestPending(t *testing.T) {
	r := text.NewRedactor("key-4711", `k"ey`)
	for in, want := range map[string]int{
		"": 0, "nothing": 0, "a k": 1, "a key-471": 7, "a key-4711": 0, "key-4711 key": 3, `a k\"e`: 4, "ke": 2,
	} {
		if got := r.Pending(in); got != want {
			t.Errorf("Pending(%q) = %d, want %d", in, got, want)
		}
	}
	if got := (text.Redactor{}).Pending("key"); got != 0 {
		t.Errorf("without secrets: %d", got)
	}
}

// A text may be cut into pieces anywhere. If the pending bytes move to the next
// piece, the joined pieces hold no secret.
func FuzzPending(f *testing.F) {
	f.Add("a key-4711 b key-47key-4711", uint8(3))
	r := text.NewRedactor("key-4711")
	f.Fuzz(func(t *testing.T, s string, size uint8) {
		var out strings.Builder
		held := ""
		for n := int(size%16) + 1; len(s) > 0; {
			n = min(n, len(s))
			piece := r.Redact(held + s[:n])
			s = s[n:]
			keep := r.Pending(piece)
			out.WriteString(piece[:len(piece)-keep])
			held = piece[len(piece)-keep:]
		}
		out.WriteString(held)
		if strings.Contains(out.String(), "key-4711") {
			t.Errorf("the secret is whole again: %q", out.String())
		}
	})
}

func TestWithoutLinks(t *testing.T) {
	for in, want := range map[string]string{
		"no link": "no link",
		`Get "https://x.example/a/b?token=s": EOF`: `Get "https://x.example/…": EOF`,
		"see http://user:pw@x.example:80/p":        "see http://x.example:80/…",
		"wss://x.example?a=1#b, and https://y":     "wss://x.example/… and https://y",
		"https://x.example/":                       "https://x.example/",
	} {
		if got := text.WithoutLinks(in); got != want {
			t.Errorf("WithoutLinks(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		in     string
		n      int
		prefix string
	}{
		{"abc", 2, "ab"},
		{"abc", 3, "abc"},
		{"abc", 0, ""},
		{"aéb", 2, "a"},
		{"aéb", 3, "aé"},
		{"漢字", 5, "漢"},
		{"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"},
	} {
		if got := text.Prefix(c.in, c.n); got != c.prefix {
			t.Errorf("Prefix(%q, %d) = %q, want %q", c.in, c.n, got, c.prefix)
		}
	}
	if got := text.Clip("aé漢", 4); got != "aé…" {
		t.Errorf("Clip = %q", got)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 200 * time.Millisecond: "0.2s", -time.Second / 4: "-0.25s", 1500 * time.Millisecond: "1.5s", 80 * time.Second: "1m20s", 2 * time.Minute: "2m",
		time.Hour: "1h", time.Hour + 10*time.Second: "1h0m10s", 90 * time.Minute: "1h30m",
	} {
		if got := text.Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	if got, err := text.JSON(map[string]string{"a": "<&>"}); err != nil || string(got) != `{"a":"<&>"}` {
		t.Errorf("JSON = %s, %v", got, err)
	}
}
