package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Bounds of a sample's list.
const (
	sampleItems    = 3
	maxSampleItems = 50
)

// sample returns the outcome of a run of a demo function that starts at now:
// invented data shaped by its variables, or the text of a Python exception if
// vars do not fit them.
func (s *Server) sample(f *function, vars map[string]string, now time.Time) *Outcome {
	o := &Outcome{Status: "closed", After: s.scaled(2 * time.Second)}
	given, err := inputs(f, vars)
	last := "finished"
	switch {
	case f.Broken:
		last = "TimeoutError: the simulated page has no such element"
		o.Result = "Script execution failed: Traceback (most recent call last):\n" +
			"  File \"" + f.Name + ".py\", line 12, in run\n    page.locator(\"#entries\").click()\n" + last
	case err != nil:
		last = err.Error()
		o.Result = "Script execution failed: " + last
	default:
		o.Result = sampleData(f, given)
	}
	o.Logs = []string{"starting " + f.Name + " (simulated)", "opened the page", "collecting items", last}
	step := o.After / time.Duration(len(o.Logs)+1)
	for i, text := range o.Logs {
		o.Logs[i] = logLine(now.Add(step*time.Duration(i+1)), text)
	}
	o.Logs[1] = "\x1b[32m" + o.Logs[1] + "\x1b[0m"
	return o
}

// logLine returns a line in the format of Notte's run logs.
func logLine(at time.Time, text string) string {
	return at.UTC().Format("2006-01-02 15:04:05.000") + " | INFO     | function:run:12 | " + text
}

// inputs returns the values of the function's variables, defaults included. Its
// errors are in Notte's words.
func inputs(f *function, vars map[string]string) (map[string]string, error) {
	given := make(map[string]string)
	var known, missing, unexpected []string
	for _, v := range f.Variables {
		known = append(known, v.Name)
		value, ok := vars[v.Name]
		switch {
		case ok:
			given[v.Name] = value
		case v.Default != nil:
			given[v.Name] = pythonValue(*v.Default)
		default:
			missing = append(missing, v.Name)
		}
	}
	for name := range vars {
		if !slices.Contains(known, name) {
			unexpected = append(unexpected, name)
		}
	}
	count, hasCount := given["count"]
	_, err := strconv.Atoi(count)
	switch {
	case missing != nil:
		return nil, fmt.Errorf("ValueError: Missing required parameters for run function: %s", pythonNames(missing))
	case unexpected != nil:
		return nil, fmt.Errorf("ValueError: Unexpected variable names for run function: %s (expected variable names: %s)",
			pythonNames(unexpected), pythonNames(known))
	case hasCount && err != nil:
		return nil, fmt.Errorf("ValueError: invalid literal for int() with base 10: %s", pythonString(count))
	}
	return given, nil
}

// pythonNames returns the repr of a sorted list of names, which is [] for none.
func pythonNames(names []string) string {
	return pythonText(append([]string{}, slices.Sorted(slices.Values(names))...))
}

// sampleFormat returns the JSON Schema of sampleData for a function with these
// variables.
func sampleFormat(vars []Variable) map[string]any {
	typed := func(name string) map[string]any { return map[string]any{"type": name} }
	properties := map[string]any{
		"sandbox": typed("boolean"), "function": typed("string"), "note": typed("string"),
		"items": map[string]any{"type": "array", "items": map[string]any{
			"type": "object",
			"properties": map[string]any{
				"rank": typed("integer"), "title": typed("string"), "url": typed("string"), "score": typed("integer"),
			},
		}},
	}
	for _, v := range vars {
		if v.Name == "count" {
			properties["count"] = typed("integer")
		} else {
			properties[v.Name] = typed("string")
		}
	}
	return map[string]any{"type": "object", "properties": properties}
}

// sampleData returns what a run with these inputs returns.
func sampleData(f *function, given map[string]string) map[string]any {
	data := map[string]any{
		"sandbox":  true,
		"function": f.Name,
		"note":     "Simulated by the sandbox: no web page was read.",
	}
	if f.latest() != firstVersion {
		data["version"] = f.latest()
	}
	for name, value := range given {
		if _, taken := data[name]; !taken {
			data[name] = value
		}
	}
	n := sampleItems
	if count, err := strconv.Atoi(given["count"]); err == nil {
		n = min(max(count, 1), maxSampleItems)
		data["count"] = n
	}
	site := cmp.Or(given["url"], defaultSite)
	items := make([]any, n)
	for i := range items {
		items[i] = map[string]any{
			"rank":  i + 1,
			"title": fmt.Sprintf("Sample item %d of %s", i+1, f.Name),
			"url":   fmt.Sprintf("%s#item-%d", site, i+1),
			"score": 100 - i,
		}
	}
	data["items"] = items
	return data
}
