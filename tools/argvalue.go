package tools

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxExact is the number up to which a float64 holds every whole number.
const maxExact = 1 << 53

// integer returns the whole number that v is, or nil. If the argument is lenient, it
// returns the nearest one that is valid.
func (a argument) integer(v gjson.Result) any {
	number := v.Raw
	if v.Type == gjson.String {
		number = v.Str
	}
	if !gjson.Valid(number) || gjson.Parse(number).Type != gjson.Number {
		return nil
	}
	n, _ := strconv.ParseFloat(number, 64) // infinite if it is too large
	if a.lenient {
		n = min(max(math.Round(n), *a.Minimum), *a.Maximum)
	}
	if n != math.Trunc(n) || math.Abs(n) > maxExact {
		return nil
	}
	return n
}

// boolean returns the boolean that v is, or nil.
func boolean(v gjson.Result) any {
	switch {
	case v.Type == gjson.True, strings.EqualFold(v.Str, "true"):
		return true
	case v.Type == gjson.False, strings.EqualFold(v.Str, "false"):
		return false
	}
	return nil
}

// names returns the texts of a list, or nil if v is no list of texts. v may also be a
// text that holds such a list as JSON, or its texts between commas.
func names(v gjson.Result) any {
	list := make([]any, 0, 4)
	if held := gjson.Parse(v.Str); held.IsArray() && gjson.Valid(v.Str) {
		v = held
	} else if v.Type == gjson.String {
		for name := range strings.SplitSeq(v.Str, ",") {
			list = append(list, strings.TrimSpace(name))
		}
		return list
	}
	for _, element := range v.Array() {
		if element.Type != gjson.String {
			return nil
		}
		list = append(list, element.Str)
	}
	return list
}

// describe names a value, to follow "it is".
func describe(v gjson.Result) string {
	switch {
	case v.Type == gjson.Number:
		return fmt.Sprintf("the number %.40s", v.Raw)
	case v.Type == gjson.String && utf8.RuneCountInString(v.Str) > maxQuoted:
		return "a text of " + formatCount(utf8.RuneCountInString(v.Str)) + " characters"
	case v.Type == gjson.String:
		return strconv.Quote(v.Str)
	case v.IsArray():
		return "a list with " + plural(len(v.Array()), "member")
	case v.IsObject():
		return "an object with " + plural(len(v.Map()), "member")
	}
	return v.Raw // true or false
}
