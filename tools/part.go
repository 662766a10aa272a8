package tools

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// partInput says which part of a run's result a call wants.
type partInput struct {
	Path   string   `json:"path,omitempty" jsonschema:"JSON Pointer into the result, e.g. /items" max:"1000" must:"a JSON Pointer of at most 1000 characters, such as /items/0/title"`
	Fields []string `json:"fields,omitempty" jsonschema:"Keep only these members" must:"a list of names of members"`
	Limit  int      `json:"limit,omitempty" jsonschema:"Elements at most" min:"1" must:"a whole number above 0"`
	Offset int      `json:"offset,omitempty" jsonschema:"Where a cut result goes on: bytes; with path elements; of a batch items" min:"0" must:"a whole number below the size of the result"`
}

// addPart replaces the whole result of the run by the part that a call wants. It
// changes nothing if the run has no result.
func (o *runOutput) addPart(in partInput) error {
	result, ofJSON := o.job.Run.Result, in.Path != "" || len(in.Fields) > 0 || in.Limit > 0
	switch {
	case len(result) == 0, !ofJSON && in.Offset == 0:
		return nil
	case !ofJSON:
		return o.addPage(result, in.Offset, "with this run_id")
	}
	o.ResultTruncated, o.ResultURI, o.NextStep = false, "", nextForRun(o.job)
	part, why := follow(gjson.ParseBytes(result), in.Path)
	if why != "" {
		return &argError{name: "path", why: why}
	}
	if err := checkFields(part, in); err != nil {
		return err
	}
	if part.IsArray() {
		return o.addElements(part, in)
	}
	kept := keep(part, in.Fields)
	if err := o.addPage(kept, in.Offset, "with the same run_id, path and fields"); err != nil || !o.ResultTruncated || !part.IsObject() {
		return err
	}
	o.NextStep += " Or read one of its members with path: it is " + outline(part) + "."
	return nil
}

// addElements adds the elements of a list that a call wants and that fit into an
// answer.
func (o *runOutput) addElements(list gjson.Result, in partInput) error {
	page, end, total := []byte("["), in.Offset, 0
	full := false
	list.ForEach(func(_, element gjson.Result) bool {
		if total++; total <= in.Offset || full || in.Limit > 0 && end-in.Offset == in.Limit {
			return true
		}
		kept := keep(element, in.Fields)
		if full = len(page)+len(kept) > maxPage; full {
			return true
		}
		if len(page) > 1 {
			page = append(page, ',')
		}
		page = append(page, kept...)
		end++
		return true
	})
	if in.Offset > 0 && in.Offset >= total {
		return &argError{name: "offset", why: fmt.Sprintf("it is %d, and the list %s has %s", in.Offset, place(in.Path), plural(total, "element"))}
	}
	o.Result, o.ResultTotal = json.RawMessage(append(page, ']')), &total
	if full {
		o.setTooLarge()
	}
	switch {
	case full && end == in.Offset:
		o.NextStep = fmt.Sprintf("Element %d is too large for an answer. Read it in parts: call get_run with path %s/%d or with fields. Or skip it: call get_run with offset %d.", end, in.Path, end, end+1)
	case end < total:
		o.NextStep = fmt.Sprintf("result holds elements %d to %d of %d. If you need more, call get_run with the same run_id, path and fields, and offset %d.", in.Offset, end-1, total, end)
	}
	return nil
}

// keep returns a value as JSON. Of an object it keeps only the members with these
// names, unless there are no names.
func keep(v gjson.Result, names []string) json.RawMessage {
	if !v.IsObject() || len(names) == 0 {
		return json.RawMessage(v.Raw)
	}
	kept := []byte("{")
	v.ForEach(func(name, value gjson.Result) bool {
		if slices.Contains(names, name.Str) {
			if len(kept) > 1 {
				kept = append(kept, ',')
			}
			kept = append(append(append(kept, name.Raw...), ':'), value.Raw...)
		}
		return true
	})
	return append(kept, '}')
}

// checkFields returns an error if a wanted field is in none of the part's objects.
func checkFields(part gjson.Result, in partInput) error {
	if len(in.Fields) == 0 {
		return nil
	}
	missing := slices.Clone(in.Fields)
	var object gjson.Result // an example
	look := func(_, v gjson.Result) bool {
		if v.IsObject() {
			object = v
			v.ForEach(func(name, _ gjson.Result) bool {
				missing = slices.DeleteFunc(missing, func(s string) bool { return s == name.Str })
				return len(missing) > 0
			})
		}
		return len(missing) > 0
	}
	what := "it "
	if part.IsArray() {
		part.ForEach(look)
		what = "an element of it "
	} else {
		look(part, part)
	}
	switch {
	case len(missing) == 0:
		return nil
	case !object.Exists():
		return &argError{name: "fields", why: fmt.Sprintf("there are no objects %s, which is %s", place(in.Path), outline(part))}
	}
	return &argError{name: "fields", why: fmt.Sprintf("nothing %s has a member %.*q; %shas %s", place(in.Path), maxQuoted, text.OneLine(missing[0], maxQuoted), what, members(object))}
}
