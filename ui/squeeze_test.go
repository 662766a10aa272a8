package ui

import "testing"

func TestSqueeze(t *testing.T) {
	for source, want := range map[string]string{
		"a = b;\n":                            "a=b;\n",
		"  if (a && !b) { c(d, e); }\n":       "if (a&&!b){c(d,e);}\n",
		"// all\na; // rest\n  // whole\n\nb": "a;\nb",
		"x = \"a = b // c\";":                 "x=\"a = b // c\";",
		"x = 'it\\'s = ';":                    "x='it\\'s = ';",
		"x = `a\n  b = ${c}`;":                "x=`a\n  b = ${c}`;",
		"// it's\na = 'b';":                   "a='b';",
		"return -1;":                          "return -1;",
		"a\n= b":                              "a\n=b",
		"/* A style */\na > b { c: d; }\n":    "a>b{c:d;}\n",
		"u = \"http://a\"; v = a//b":          "u=\"http://a\";v=a//b",
		"x = 'open":                           "x='open",
		"":                                    "",
	} {
		if got := squeeze(source); got != want {
			t.Errorf("squeeze(%q) = %q, want %q", source, got, want)
		}
	}
}

func TestWithoutIndents(t *testing.T) {
	if got, want := withoutIndents("<a>\n  <b>\n\n\tc d\n</a>"), "<a>\n<b>\nc d\n</a>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
