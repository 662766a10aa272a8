package functions

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of the texts of a [Pin]. A model reads them in every conversation.
const (
	maxPinText      = 300 // characters
	maxAuthorText   = 160 // characters
	maxPinTextBytes = 600
	maxPinTitle     = 60 // characters
	maxPinTitleSize = 120
)

var (
	markup    = regexp.MustCompile(`<[^<>]*>`)
	anyLink   = regexp.MustCompile(`(?i)\S*://\S*|\b(?:www\.|(?:mailto|javascript|data):)\S*`)
	spacesRun = regexp.MustCompile(` {2,}`)
)

// PlainText returns a text from outside as it may stand in the definition of a tool:
// one line of letters, digits and plain punctuation, without markup, links and
// invisible characters, and with compatible characters as the ordinary ones.
func PlainText(s string, characters, bytes int) string {
	s = norm.NFKC.String(text.OneLine(s, 4*characters))
	s = anyLink.ReplaceAllString(markup.ReplaceAllString(s, " "), " ")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '"', r == '“', r == '”', r == '„', r == '«', r == '»':
			return '\'' // texts of others stand in double quotes
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mc, r), unicode.Is(unicode.Sc, r), strings.ContainsRune(" .,:;!?'’()/%&+=@°–—-_", r):
			return r
		case unicode.Is(unicode.Mn, r):
			return r
		}
		return ' '
	}, s)
	s = strings.TrimSpace(spacesRun.ReplaceAllString(s, " "))
	s = text.OneLine(s, characters)
	if len(s) > bytes {
		s = strings.TrimSuffix(strings.TrimRight(text.Prefix(s, bytes-len("…")), " "), "…") + "…"
	}
	return s
}

// pinText returns what the tool of a function says that it does, and who wrote it: the
// first of the caller's text, the user's query and the author's text that there is.
func pinText(caller, query string, f Function) (string, TextFrom) {
	if s := PlainText(caller, maxPinText, maxPinTextBytes); s != "" {
		return s, FromCaller
	}
	if s := PlainText(query, maxPinText, maxPinTextBytes); s != "" {
		return s, FromQuery
	}
	if s := PlainText(f.Description, maxAuthorText, maxPinTextBytes); s != "" {
		return s, FromAuthor
	}
	return "", ""
}

// plain matches a value from outside that may stand in the definition of a tool: a word
// or a few.
var plain = regexp.MustCompile(`^-?[\pL\pN][\pL\pN_.:/+-]*(?: [\pL\pN_.:/+-]+){0,2}$`)

// maxPlain bounds such a value, in characters.
const maxPlain = 40

func isPlain(s string) bool {
	return len([]rune(s)) <= maxPlain && plain.MatchString(s) && norm.NFKC.String(s) == s && !anyLink.MatchString(s)
}
