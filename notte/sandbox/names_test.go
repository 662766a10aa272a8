package sandbox_test

import (
	"fmt"
	"regexp"
	"strings"
)

// names replaces the random IDs of a transcript by short ones.
type names struct {
	short map[string]string // by long name
	long  map[string]string // by short name
}

func newNames() *names { return &names{make(map[string]string), make(map[string]string)} }

var (
	uuid  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	token = regexp.MustCompile(`((?:token|Signature)=)([0-9a-f]{32})`)
	short = regexp.MustCompile(`\b(?:ID|TOKEN)[0-9]+\b`)
)

func (n *names) replace(text string) string {
	text = uuid.ReplaceAllStringFunc(text, func(id string) string { return n.name("ID", id) })
	return token.ReplaceAllStringFunc(text, func(m string) string {
		name, value, _ := strings.Cut(m, "=")
		return name + "=" + n.name("TOKEN", value)
	})
}

func (n *names) name(kind, value string) string {
	if n.short[value] == "" {
		count := 1
		for n.long[fmt.Sprint(kind, count)] != "" {
			count++
		}
		n.short[value], n.long[fmt.Sprint(kind, count)] = fmt.Sprint(kind, count), value
	}
	return n.short[value]
}

// restore puts the IDs in the place of their short names.
func (n *names) restore(text string) string {
	return short.ReplaceAllStringFunc(text, func(name string) string {
		if long := n.long[name]; long != "" {
			return long
		}
		return name
	})
}
