// Package functions is the catalogue of an account's functions: what they do, what
// they take and how to find them. It is read from Notte when it is asked for, and
// kept in a [Store].
package functions

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of a [Function], in characters if nothing else is said.
const (
	maxName         = 200
	maxDescription  = 2000
	maxInstructions = 4000
	maxSite         = 253
	maxWord         = 64 // a version, a status and the like
	maxVariables    = 64
	maxSecrets      = 20
	maxFormat       = 16 << 10 // bytes
	maxFormatDepth  = 20
)

// Function is what is known of a function. All its texts are clean and bounded, but
// they were written by others: they are data, never instructions.
type Function struct {
	ID            string     `json:"-"`
	Name          string     `json:"name,omitempty"`
	Description   string     `json:"description,omitempty"`
	Site          string     `json:"-"` // host that it works on, in lower case and without www
	Source        string     `json:"source,omitempty"`
	Version       string     `json:"version,omitempty"`
	Versions      int        `json:"versions,omitempty"`
	Variables     []Variable `json:"variables,omitempty"`
	Unclear       bool       `json:"unclear,omitempty"` // Variables are not exactly what it takes: do not check against them
	Secrets       []string   `json:"secrets,omitempty"` // that a run needs
	ScheduleCron  string     `json:"schedule_cron,omitempty"`
	ScheduleState string     `json:"schedule_state,omitempty"`
	Shared        bool       `json:"shared,omitempty"` // with others, or by another account
	Listed        bool       `json:"listed,omitempty"` // the account's list has it
	UpdatedAt     time.Time  `json:"-"`                // zero: not known

	ReadAt  time.Time `json:"-"` // when Notte told all above
	Details *Details  `json:"-"` // nil: it was never looked up by itself
}

// Details is what Notte tells of a function only when it is looked up by itself.
type Details struct {
	Instructions   string          `json:"instructions,omitempty"`    // notes of its builder, in lines
	ResponseFormat json.RawMessage `json:"response_format,omitempty"` // what it calls the JSON Schema of its result; nil if it has none, or one that is too large
	ReadAt         time.Time       `json:"read_at"`
}

// newFunction cleans what Notte told at a time. listed means that it came in a list,
// which has no details.
func newFunction(f notte.Function, at time.Time, listed bool) Function {
	clean := Function{
		ID:            f.ID,
		Name:          text.OneLine(f.Name, maxName),
		Description:   text.OneLine(f.Description, maxDescription),
		Site:          cleanSite(f.Domain),
		Source:        text.OneLine(f.Source, maxWord),
		Version:       text.OneLine(f.LatestVersion, maxWord),
		Versions:      len(f.Versions),
		Unclear:       len(f.Variables) > maxVariables,
		ScheduleCron:  text.OneLine(f.ScheduleCron, maxWord),
		ScheduleState: text.OneLine(f.ScheduleState, maxWord),
		Shared:        f.Shared,
		Listed:        listed,
		UpdatedAt:     f.UpdatedAt.Truncate(time.Millisecond),
		ReadAt:        at,
	}
	for _, v := range f.Variables[:min(len(f.Variables), maxVariables)] {
		variable := newVariable(v)
		clean.Variables = append(clean.Variables, variable)
		clean.Unclear = clean.Unclear || variable.Name != v.Name
	}
	for _, name := range f.RequiredSecrets[:min(len(f.RequiredSecrets), maxSecrets)] {
		clean.Secrets = append(clean.Secrets, text.OneLine(name, maxWord))
	}
	if !listed {
		clean.Details = &Details{
			Instructions:   text.Clip(text.Lines(f.Instructions), maxInstructions),
			ResponseFormat: cleanFormat(f.ResponseFormat),
			ReadAt:         at,
		}
	}
	return clean
}

// cleanSite returns the host in what Notte calls a function's domain, or "".
func cleanSite(domain string) string {
	domain = strings.ToLower(text.OneLine(domain, maxSite))
	if strings.Contains(domain, "://") {
		u, err := url.Parse(domain)
		if err != nil {
			return ""
		}
		domain = u.Hostname()
	}
	domain, _, _ = strings.Cut(domain, "/")
	domain, _, _ = strings.Cut(domain, ":")
	domain = strings.TrimPrefix(strings.Trim(domain, "."), "www.")
	for _, r := range domain {
		if strings.ContainsRune(" \"'<>()[]{}\\@,;", r) {
			return ""
		}
	}
	return domain
}

// cleanFormat returns a response format with clean texts, or nil if it is too large
// or too deep to be of use.
func cleanFormat(raw json.RawMessage) json.RawMessage {
	var format any
	if len(raw) > maxFormat || json.Unmarshal(raw, &format) != nil || format == nil {
		return nil
	}
	format, ok := cleanJSON(format, maxFormatDepth)
	if !ok {
		return nil
	}
	clean, err := text.JSON(format)
	if err != nil {
		return nil
	}
	return clean
}

// cleanJSON cleans the texts in v. It reports whether v is at most depth levels deep.
func cleanJSON(v any, depth int) (clean any, ok bool) {
	if depth < 0 {
		return nil, false
	}
	ok = true
	switch v := v.(type) {
	case string:
		return text.OneLine(v, maxDescription), true
	case []any:
		for i := range v {
			if v[i], ok = cleanJSON(v[i], depth-1); !ok {
				return nil, false
			}
		}
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			if members[text.OneLine(name, maxName)], ok = cleanJSON(member, depth-1); !ok {
				return nil, false
			}
		}
		return members, true
	}
	return v, true
}
