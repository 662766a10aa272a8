package functions

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// DefaultMaxPins is how many pins an account has at most unless something else is set.
// More tools than a few dozen make models choose worse.
const DefaultMaxPins = 20

// Pin is a function that its user has made a tool of its own. What a model reads of it
// is frozen: it changes only when the function is pinned again.
type Pin struct {
	Name       string
	FunctionID string
	Title      string                     // the function's name, clean
	Text       string                     // what the tool says that it does, clean; may be empty
	TextFrom   TextFrom                   // who wrote it
	Query      string                     // of the build that made the function, if that is known
	Variables  []Variable                 // of the function, as it was pinned
	Fixed      map[string]json.RawMessage // variables that are hidden and set
	Version    string                     // of the function, as it was pinned
	MadeBy     string                     // what pinned it: MadeByTool and others
	State      PinState
	CreatedAt  time.Time
	UsedAt     time.Time // it was called, or pinned
}

// TextFrom says who wrote the text of a [Pin].
type TextFrom string

// The writers of texts.
const (
	FromCaller TextFrom = "caller" // who pinned the function
	FromQuery  TextFrom = "query"  // the user, as the query of the build that made it
	FromAuthor TextFrom = "author" // the author of the function
)

// What pins a function.
const (
	MadeByTool = "tool"
	MadeByCLI  = "cli"
	MadeByFlag = "flag"
)

// PinState says whether a pin still fits its function.
type PinState string

// The states.
const (
	PinOK      PinState = "ok"
	PinChanged PinState = "changed" // the function takes other variables: a call starts nothing
	PinGone    PinState = "gone"    // Notte has the function no more: the pin is not listed
)

// Bounds of the names of pins, in characters. Hosts put the server's name before a
// tool's, and some refuse more than 60 characters for both.
const (
	minPinName = 3
	maxPinName = 40
)

var pinName = regexp.MustCompile(`^[a-z][a-z0-9_]{2,39}$`)

// IsPinName reports whether a pin may have this name.
func IsPinName(name string) bool { return pinName.MatchString(name) }

// SuggestPinName returns a name like a text, or "" if it has no letters of the kind.
// It is cut at a word's end.
func SuggestPinName(text string) string {
	var words []string
	for word := range strings.FieldsFuncSeq(strings.ToLower(fold(text)), func(r rune) bool { return !isNameRune(r) }) {
		if len(words) > 0 || word[0] >= 'a' { // a name begins with a letter
			words = append(words, word)
		}
	}
	name := ""
	for i, word := range words {
		if i > 0 && len(name)+1+len(word) > maxPinName {
			break
		}
		name = strings.TrimPrefix(name+"_"+word, "_")
	}
	if name = name[:min(len(name), maxPinName)]; len(name) < minPinName {
		return ""
	}
	return name
}

func isNameRune(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// fold returns a text without the marks of its letters: é is e.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
}

// defaultPinName returns the name of a pin of f. taken reports whether one may not be
// used.
func defaultPinName(f Function, taken func(string) bool) string {
	name := SuggestPinName(PlainText(f.Name, maxName, maxName))
	if name == "" {
		id := strings.Map(func(r rune) rune {
			if !isNameRune(r) {
				return -1
			}
			return r
		}, strings.ToLower(f.ID))
		name = "function_" + id[:min(len(id), 6)]
	}
	return FreePinName(name, taken)
}

// FreePinName returns a name, or one with a number after it that is not taken.
func FreePinName(name string, taken func(string) bool) string {
	free := name
	for n := 2; taken(free); n++ {
		suffix := fmt.Sprintf("_%d", n)
		free = strings.TrimSuffix(name[:min(len(name), maxPinName-len(suffix))], "_") + suffix
	}
	return free
}

// maxPinned bounds the variables of a pin. More make a tool that models fill in badly.
const maxPinned = 24

// variableName matches the names that all hosts take as the name of an argument.
var variableName = regexp.MustCompile(`^_?[A-Za-z][A-Za-z0-9_]{0,62}$`)

// pinnable returns why a function cannot be a tool, or "".
func pinnable(f Function) string {
	for _, v := range f.Variables {
		if !variableName.MatchString(v.Name) {
			return fmt.Sprintf("its variable %q has a name that hosts do not take for an argument", v.Name)
		}
	}
	switch {
	case f.Unclear:
		return "what it takes cannot be read exactly"
	case len(f.Variables) > maxPinned:
		return fmt.Sprintf("it takes %d variables, and a tool of this server has at most %d", len(f.Variables), maxPinned)
	}
	return ""
}

// variable returns a variable of the pinned function.
func (p Pin) variable(name string) (Variable, bool) {
	i := slices.IndexFunc(p.Variables, func(v Variable) bool { return v.Name == name })
	if i < 0 {
		return Variable{}, false
	}
	return p.Variables[i], true
}

// Shown returns the variables that a call of the pin gives: those that are not fixed.
func (p Pin) Shown() (shown []Variable) {
	for _, v := range p.Variables {
		if _, fixed := p.Fixed[v.Name]; !fixed {
			shown = append(shown, v)
		}
	}
	return shown
}
