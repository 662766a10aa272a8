package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

// Server is what a host is told about an MCP server.
type Server struct {
	Name     string // of its entry
	Command  string // absolute
	Args     []string
	Settings []Setting     // what it needs from its environment, except the key
	CallTime time.Duration // how long a call may take

	// The variable with the key, or "" if it needs none. Key is its value, to be written
	// in plain text. Without it, the host is told to hand the variable down if it can.
	KeyName, Key string
	KeyFound     bool // the server finds the key by itself: no host has to ask its user for it

	// URL is the address of a server that runs already. With it, only Name counts of
	// the above. Its token is given like the key.
	URL              string
	TokenName, Token string
}

// Setting is an environment variable of a server.
type Setting struct{ Name, Value string }

// entry is an object or a table with its members in order.
type entry []member

// member is a member of an entry. Its value is a string, an int, a []string, a names or
// an entry. nil removes the member from a file.
type member struct {
	name  string
	value any
	keep  bool   // a value that the file has already stays
	also  string // another value that stays
}

// names is a list of strings. Those that a file has besides stay.
type names []string

// with returns the strings that are in list or in n.
func (n names) with(list any) names {
	var all names
	items, _ := list.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	for _, name := range n {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// field returns a member of the entry of a server for a host.
type field func(*Host, Server) member

// The fields that hosts have in common.
var (
	command field = func(_ *Host, s Server) member { return member{name: "command", value: s.Command} }
	args    field = func(_ *Host, s Server) member { return member{name: "args", value: append([]string{}, s.Args...)} }
	env           = envNamed("env")
	headers       = headersNamed("headers")
)

// ofType returns the field that names the kind of server.
func ofType(value string) field {
	return func(*Host, Server) member { return member{name: "type", value: value} }
}

// byDefault returns a field whose value the user may change: one that the file has stays.
func byDefault(name string, value any) field {
	return func(*Host, Server) member { return member{name: name, value: value, keep: true} }
}

// either returns a field with a value. The value also stays if the file has that.
func either(name, value, also string) field {
	return func(*Host, Server) member { return member{name: name, value: value, also: also} }
}

// urlNamed returns a field with the server's URL.
func urlNamed(name string) field {
	return func(_ *Host, s Server) member { return member{name: name, value: s.URL} }
}

// envNamed returns a field with the variables to set.
func envNamed(name string) field {
	return func(h *Host, s Server) member {
		env := entry{}
		if !h.settings {
			for _, v := range s.Settings {
				env = append(env, member{name: v.Name, value: v.Value})
			}
		}
		if key := h.secretFor(s); key != "" && (s.Key != "" || !h.keys) {
			// A key that a user has put there is not taken away.
			env = append(env, member{name: s.KeyName, value: key, keep: s.Key == ""})
		}
		return member{name: name, value: env}
	}
}

// headersNamed returns a field with the HTTP headers to send.
func headersNamed(name string) field {
	return func(h *Host, s Server) member {
		headers := entry{}
		if token := h.secretFor(s); token != "" {
			headers = append(headers, member{name: "Authorization", value: "Bearer " + token})
		}
		return member{name: name, value: headers}
	}
}

// secret returns the variable of the secret that s needs, and the secret if it shall be
// written in plain text.
func (s Server) secret() (name, value string) {
	if s.URL != "" {
		return s.TokenName, s.Token
	}
	return s.KeyName, s.Key
}

// found reports whether the server needs no secret from its host.
func (s Server) found() bool { return s.KeyFound && s.URL == "" }

// secretFor returns what the entry of s has for its secret: the secret itself, a
// reference to its variable, or "".
func (h *Host) secretFor(s Server) string {
	name, value := s.secret()
	if value != "" || name == "" || h.reference == "" || h.prompts != "" && s.found() {
		return value
	}
	return fmt.Sprintf(h.reference, name)
}

// transports are the members by which hosts tell how they reach a server.
var transports = []string{"type", "url", "httpUrl", "serverUrl"}

// entryOf returns the entry of s. The members of the other kind of server are nil in it,
// so that they are removed: it is unknown what a host does that finds both.
func (h *Host) entryOf(s Server) entry {
	wanted, other := h.stdio, h.http
	if s.URL != "" {
		wanted, other = other, wanted
	}
	var e entry
	for _, f := range wanted {
		e = append(e, f(h, s))
	}
	out := slices.Clone(transports)
	for _, f := range other {
		out = append(out, f(h, s).name)
	}
	for _, name := range out {
		if !slices.ContainsFunc(e, func(m member) bool { return m.name == name }) {
			e = append(e, member{name: name})
		}
	}
	return e
}

// written reports whether m is in an entry that is written anew.
func (m member) written() bool {
	e, ok := m.value.(entry)
	return m.value != nil && (!ok || len(e) > 0)
}

// MarshalJSON implements [json.Marshaler].
func (e entry) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for _, m := range e {
		if !m.written() {
			continue
		}
		fmt.Fprintf(&b, ",%s:%s", quote(m.name), encode(m.value))
	}
	return []byte("{" + string(bytes.TrimPrefix(b.Bytes(), []byte(","))) + "}"), nil
}

// plain returns a value in the types into which package json decodes.
func plain(value any) any {
	v, _ := decode(encode(value)) // what was encoded can be decoded
	return v
}

// encode returns a value as JSON.
func encode(value any) string {
	raw, err := text.JSON(value)
	if err != nil {
		panic(err) // the values of entries have no other types
	}
	return string(raw)
}

// decode returns a value of JSON. Numbers keep their digits.
func decode(raw string) (any, error) {
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// quote returns s as a string of JSON, which is one of TOML too.
func quote(s string) string {
	return strings.ReplaceAll(encode(s), "\x7f", `\u007f`) // as TOML demands
}

// quoteAll returns a list of strings on one line, with comma between them.
func quoteAll(list []string, comma string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, comma) + "]"
}
