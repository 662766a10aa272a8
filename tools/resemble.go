package tools

import (
	"slices"
	"strings"
	"unicode"
)

// resembles reports whether an unknown name is likely to be meant for an argument: it
// is written another way (forceNew), a letter or two differ (qurey), or it is a part
// of the name (function for function_id).
func resembles(unknown, argument string) bool {
	if len(unknown) > 50 {
		return false
	}
	got, want := nameWords(unknown), nameWords(argument)
	a, b := []rune(strings.Join(got, "")), []rune(strings.Join(want, ""))
	if differences(a, b) <= 1+len(b)/8 {
		return true
	}
	// Hosts add IDs of their own, so "id" says nothing.
	got = slices.DeleteFunc(got, func(word string) bool { return word == "id" })
	return len(got) > 0 && !slices.ContainsFunc(got, func(word string) bool { return !slices.Contains(want, word) })
}

// nameWords returns the words of a name in lower case. Upper case in forceNew begins
// a word.
func nameWords(name string) []string {
	var spaced strings.Builder
	upper := true
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			spaced.WriteByte(' ')
		case unicode.IsUpper(r) && !upper:
			spaced.WriteByte(' ')
		}
		if unicode.IsLetter(r) {
			spaced.WriteRune(r)
		}
		upper = unicode.IsUpper(r)
	}
	return strings.Fields(strings.ToLower(strings.ToUpper(spaced.String()))) // ſ becomes s
}

// differences returns how many letters must be added, left out, replaced or swapped
// with the next to turn a into b: the optimal string alignment distance.
func differences(a, b []rune) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, replaced)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
