package cli

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// quotes are the marks that surround a value which was pasted from a shell, a JSON
// file or a text. The backslash is one, because it escapes the others.
const quotes = "\"'`´\\“”„‟‘’‚‛«»‹›＂＇"

// clean returns what the value of the variable called name was meant to be: without
// blanks, quotes and the words before it that say what it is. Hosts, Docker's env files
// and people leave them there. An absolute path is kept as it is, because any character
// may belong to it.
func clean(name, value, goos string) string {
	for before := "\x00"; value != before; {
		before = value
		value = strings.TrimFunc(value, isBlank)
		if isAbs(value, goos) {
			return value
		}
		value = withoutLabel(withoutQuotes(value), name)
	}
	return value
}

// isBlank reports whether r shows as nothing: white space, a byte order mark, a
// control character and the like.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// withoutQuotes returns value without quotes around it, and without the comma or
// semicolon that follows the closing one in a file.
func withoutQuotes(value string) string {
	if inner := strings.TrimRight(value, ",;"); strings.TrimRight(inner, quotes) != inner {
		value = inner
	}
	return strings.Trim(value, quotes)
}

// withoutLabel returns value without a first word that is export, the variable's name
// or, for a secret, what stands before it in a header.
func withoutLabel(value, name string) string {
	labels := []string{"export", name}
	if isSecret(name) {
		labels = append(labels, "authorization", "x-api-key", "bearer")
	}
	follows := func(r rune) bool { return isBlank(r) || strings.ContainsRune("=:"+quotes, r) }
	end := strings.IndexFunc(value, follows)
	if end < 0 || !slices.ContainsFunc(labels, func(label string) bool { return strings.EqualFold(label, value[:end]) }) {
		return value
	}
	return strings.TrimLeftFunc(value[end:], follows)
}

// isAbs reports whether path is an absolute path of goos.
func isAbs(path, goos string) bool {
	if goos != "windows" {
		return strings.HasPrefix(path, "/")
	}
	drive := len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
	return drive || strings.HasPrefix(path, `\\`)
}

// kind is a kind of text that stands where a value should be.
type kind struct {
	name    string                // how a sentence shows it; empty: as it is
	pattern func() *regexp.Regexp // of the value in lower case; compiled when it is first used
}

func kindOf(name, pattern string) kind {
	return kind{name, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
}

// unexpanded are the references that a host or a shell should have replaced by a
// value. Hosts also write the words where a value is missing.
var unexpanded = []kind{
	kindOf("${…}", `^\$\{`),
	kindOf("{{…}}", `^\{\{`),
	kindOf("$(…)", `^\$\(`),
	kindOf("{env:…}", `^\{\w+:`),
	kindOf("$NAME", `^\$[a-z_]\w*([/\\:.].*)?$`),
	kindOf("%NAME%", `^%[^%\s]+%`),
	kindOf("", `^(undefined|null|\(null\)|\[object object\])$`),
}

// fillIns are the references, and the texts in the place of a secret that a person
// should have replaced.
var fillIns = slices.Concat(unexpanded, []kind{
	kindOf("${…}", `\$\{|\{\{`),
	kindOf("<…>", `^<.*>$`),
	kindOf("a text in brackets", `^(\[.*\]|\{.*\}|\(.*\))$`),
	kindOf("a link", `^[a-z][a-z0-9+.-]*://`),
	kindOf("the text of an example", `^your|[ _-]your[ _-]([a-z]+[ _-])*(key|token|secret|password)$|[ _-]here$|^change[ _-]?me|^(placeholder|todo)$|`+
		`^(insert|paste|enter|replace|put|add|fill)([ _-]([a-z]+[ _-])*(key|token|secret|value|me|this|it)|[a-z]*here)$`),
	kindOf("a text that is cut or masked", `…|\.\.\.|\*\*\*|•|x{4}$|^x{3}$`),
	kindOf("", `^(none|nil|nan|true|false|bearer)$`),
})

// placeholder returns how to show value if it is of one of the kinds, and "" if not.
// It repeats no part of the value, which may be a secret between brackets.
func placeholder(value string, kinds []kind) string {
	lower := strings.ToLower(value)
	for _, k := range kinds {
		if k.pattern().MatchString(lower) {
			if k.name == "" {
				return value
			}
			return k.name
		}
	}
	return ""
}
