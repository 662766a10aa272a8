package sandbox

import (
	"hash/fnv"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// task is a query as the demo understands it.
type task struct {
	query string
	name  string // of the function that it builds
	site  string // URL of the page that the demo pretends to visit
	vars  []Variable
	cost  float64 // US dollars, the same for the same query
}

// Bounds of the parts of a query that are kept, in characters.
const (
	maxName     = 48
	maxURL      = 500
	maxDefault  = 1000
	maxQuoted   = 120
	nameWords   = 6
	defaultSite = "https://example.com/"
)

var (
	urlInText = regexp.MustCompile(`(?i)https?://[^\s<>"'` + "`" + `]+|\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b(?:/[^\s<>"'` + "`" + `]*)?`)
	number    = regexp.MustCompile(`\b[0-9]{1,9}\b`)
	marker    = regexp.MustCompile(`\[sandbox:[a-z]*\]`)
)

// fillers are words that are left out of a function's name.
var fillers = map[string]bool{
	"a": true, "an": true, "and": true, "all": true, "at": true, "by": true, "for": true, "from": true,
	"in": true, "into": true, "me": true, "my": true, "of": true, "on": true, "please": true,
	"that": true, "the": true, "their": true, "then": true, "to": true, "with": true,
}

func newTask(query string) task {
	text := strings.TrimSpace(marker.ReplaceAllString(query, " "))
	t := task{query: text, site: defaultSite, cost: price(query)}
	link := firstURL(text)
	rest := strings.Replace(text, link, " ", 1)
	t.name = functionName(rest)
	if n := number.FindString(rest); n != "" {
		count, _ := strconv.Atoi(n) // nine digits at most
		t.vars = append(t.vars, Variable{Name: "count", Type: "int", Default: new(strconv.Itoa(count))})
	}
	if link != "" {
		t.site = absolute(link)
		t.vars = append(t.vars, Variable{Name: "url", Type: "str", Default: new(pythonString(t.site))})
	}
	if t.vars == nil {
		t.vars = []Variable{{Name: "query", Type: "str", Default: new(pythonString(clip(text, maxDefault)))}}
	}
	return t
}

// continueFrom makes t the task of changing old: the same function, whose
// variables take over the count and the URL of t.
func (t *task) continueFrom(old *function) {
	vars := slices.Clone(old.Variables)
	for _, v := range t.vars {
		if v.Name == "query" {
			continue
		}
		if i := slices.IndexFunc(vars, func(old Variable) bool { return old.Name == v.Name }); i >= 0 {
			vars[i] = v
		} else {
			vars = append(vars, v)
		}
	}
	t.name, t.vars = old.Name, vars
	if old.Domain != "" && t.site == defaultSite {
		t.site = "https://" + old.Domain + "/"
	}
}

// function returns the function that t describes.
func (t *task) function() Function {
	f := Function{
		Name: t.name, Description: clip(t.query, 200), Variables: t.vars, Source: "anything",
		Instructions:   "Simulated by the sandbox. It opens " + t.site + " and returns one item for each entry.",
		ResponseFormat: sampleFormat(t.vars),
	}
	if site, err := url.Parse(t.site); err == nil {
		f.Domain = site.Hostname()
	}
	return f
}

// firstURL returns the first URL or host name in text, as written there.
func firstURL(text string) string {
	link := strings.TrimRight(urlInText.FindString(text), ".,;:!?)]}")
	if len(link) > maxURL {
		return ""
	}
	if _, err := url.Parse(absolute(link)); err != nil {
		return ""
	}
	return link
}

func absolute(link string) string {
	if lower := strings.ToLower(link); strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") {
		return link
	}
	return "https://" + link
}

// functionName returns the first words of text that are not fillers, joined by
// dashes.
func functionName(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	var kept []string
	for _, word := range words {
		if fillers[word] || number.MatchString(word) {
			continue
		}
		if kept = append(kept, word); len(kept) == nameWords {
			break
		}
	}
	if len(kept) == 0 {
		return "automation"
	}
	return strings.TrimRight(clip(strings.Join(kept, "-"), maxName), "-…")
}

// price returns a cost between 5 and 95 cents that depends on query alone.
func price(query string) float64 {
	h := fnv.New32a()
	h.Write([]byte(query))
	return float64(500+h.Sum32()%9000) / 10_000
}

// clip returns text, or its first n characters and an ellipsis if it is longer.
func clip(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i] + "…"
		}
		n--
	}
	return text
}
