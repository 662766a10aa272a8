package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
	case f.broken:
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

// inputs returns the values of the function's variables, defaults included.
func inputs(f *function, vars map[string]string) (map[string]string, error) {
	given := make(map[string]string)
	for _, v := range f.Variables {
		value, ok := vars[v.Name]
		switch {
		case ok:
			given[v.Name] = value
		case v.Default != nil:
			given[v.Name] = fmt.Sprint(v.Default)
		default:
			return nil, fmt.Errorf("TypeError: run() missing 1 required argument: '%s'", v.Name)
		}
	}
	if count, ok := given["count"]; ok {
		if _, err := strconv.Atoi(count); err != nil {
			return nil, fmt.Errorf("ValueError: invalid literal for int() with base 10: %s", pythonString(count))
		}
	}
	return given, nil
}

func sampleData(f *function, given map[string]string) map[string]any {
	data := map[string]any{
		"sandbox":  true,
		"function": f.Name,
		"note":     "Simulated by the sandbox: no web page was read.",
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
	site := given["url"]
	if site == "" {
		site = defaultSite
	}
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

// pythonText returns v as Python's str() formats it, because a lookup of a run
// at Notte returns its result so: text unchanged, anything else as its repr. v
// must be encodable as JSON.
func pythonText(v any) string {
	data, err := encode(v)
	if err != nil {
		return fmt.Sprint(v) // not reached: Outcome.prepared has encoded it
	}
	var plain any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&plain); err != nil {
		return string(data)
	}
	if text, ok := plain.(string); ok {
		return text
	}
	var b strings.Builder
	writeRepr(&b, plain)
	return b.String()
}

func writeRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case string:
		b.WriteString(pythonString(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, item)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(pythonString(key) + ": ")
			writeRepr(b, v[key])
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v)
	}
}

// pythonString returns Python's repr of text: in single quotes, or in double
// quotes if text contains single quotes and no double quotes.
func pythonString(text string) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	text = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, quote, `\`+quote, "\x1b", `\x1b`).Replace(text)
	return quote + text + quote
}
