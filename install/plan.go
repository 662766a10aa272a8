package install

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Plan is a change of a host's file that is worked out and not made yet.
type Plan struct {
	Host    *Host
	File    string
	Changes []Change // none if the file is so already

	env    Env
	target string      // the file, behind symbolic links
	exists bool        // there is a file
	mode   fs.FileMode // of the file
	mark   string      // the byte order mark with which it begins, or ""
	before string      // the text behind the mark
	after  string      // as it shall be
	doc    document    // what after says
	gone   bool        // there shall be no file

	erased   bool // the server is taken out
	restored bool // after is what the file was before the server was installed
}

// Change is a change of one value in a file.
type Change struct {
	In  string // the object or table that holds the value; "": the file itself
	Old string // how the file had the value; "": not at all
	New string // how it has it then; "": not at all
}

// FileError says why the file of a host was left as it was.
type FileError struct {
	File  string
	Lines string // what a user can add by hand, or ""
	Err   error
}

func (e *FileError) Error() string {
	message := fmt.Sprintf("%s was left as it was: %v", e.File, e.Err)
	if e.Lines != "" {
		message += "; add this by hand:\n\n" + e.Lines
	}
	return message
}

func (e *FileError) Unwrap() error { return e.Err }

// errExtend is the error of a value that cannot be added to a file.
var errExtend = errors.New("cannot be added, because of how the file is written around it")

// Install works out the change that adds a server to the file of h. Its error is a
// [FileError].
func (h *Host) Install(env Env, s Server) (*Plan, error) {
	p, err := h.plan(env, s, (*Plan).write)
	if e, ok := errors.AsType[*FileError](err); ok && errors.Is(err, errExtend) {
		e.Lines = h.Lines(s)
	}
	return p, err
}

// Uninstall works out the change that removes a server from the file of h. Its error is
// a [FileError].
func (h *Host) Uninstall(env Env, s Server) (*Plan, error) {
	return h.plan(env, s, (*Plan).erase)
}

// plan works out a change of the file of h.
func (h *Host) plan(env Env, s Server, change func(*Plan, Server) error) (*Plan, error) {
	p, err := h.read(env, s)
	if err == nil {
		err = change(p, s)
	}
	if err == nil && len(p.Changes) > 0 {
		err = p.writable()
	}
	if err != nil {
		return nil, &FileError{p.File, "", err}
	}
	return p, nil
}

// Lines returns the text of a file of h that has s alone.
func (h *Host) Lines(s Server) string {
	p := &Plan{Host: h}
	err := p.parse(h.format.empty())
	if err == nil {
		err = p.write(s)
	}
	if err != nil {
		panic(err) // an empty file can be extended
	}
	return p.after
}

// write writes s into the text.
func (p *Plan) write(s Server) error {
	if err := p.merge(p.Host.entryOf(s), p.Host.servers, s.Name); err != nil {
		return err
	}
	name, value := s.secret()
	if p.Host.prompts == "" || name == "" || value != "" || s.found() {
		return nil
	}
	input := entry{{name: "type", value: "promptString"}, {name: "id", value: name},
		{name: "description", value: "The value of " + name}, {name: "password", value: true}}
	switch list := p.doc.get(p.Host.prompts).(type) {
	case nil:
		return p.set([]entry{input}, p.Host.prompts)
	case []any:
		if p.doc.get(p.Host.prompts, name) != nil {
			return nil
		}
		return p.set(input, p.Host.prompts, name)
	default:
		return wrongKind(list, "a list", p.Host.prompts)
	}
}

// erase removes s from the text.
func (p *Plan) erase(s Server) error {
	if err := p.remove(p.Host.servers, s.Name); err != nil || len(p.Changes) == 0 {
		return err
	}
	for _, name := range []string{s.KeyName, s.TokenName} {
		if p.Host.prompts == "" || name == "" || strings.Contains(p.after, fmt.Sprintf(p.Host.reference, name)) {
			continue
		}
		if err := p.remove(p.Host.prompts, name); err != nil {
			return err
		}
	}
	p.erased = true
	return p.restore(s.Name)
}

// parse makes text, or that of an empty file if it is blank, the new text.
func (p *Plan) parse(text string) error {
	if strings.Trim(text, blanks) == "" {
		text = p.Host.format.empty()
	}
	if !utf8.ValidString(text) {
		valid := strings.Index(strings.ToValidUTF8(text, "\x00"), "\x00")
		return errorAt(text, valid, "it is not in UTF-8: save the file in that encoding")
	}
	doc, err := p.Host.format.parse(text, p.mark != "")
	if err == nil {
		p.after, p.doc = text, doc
	}
	return err
}

// merge brings an object or a table of the text in line with e. What e does not name
// stays.
func (p *Plan) merge(e entry, path ...string) error {
	switch old := p.doc.get(path...).(type) {
	case nil:
		return p.add(e, path)
	case map[string]any:
		for _, m := range e {
			if err := p.mergeMember(m, old[m.name], append(slices.Clone(path), m.name)); err != nil {
				return err
			}
		}
		return nil
	default:
		return wrongKind(old, "an object", path...)
	}
}

// mergeMember brings one member, which the text has as old, in line with m.
func (p *Plan) mergeMember(m member, old any, path []string) error {
	switch value := m.value.(type) {
	case nil:
		return p.remove(path...)
	case entry:
		if len(value) == 0 {
			return nil
		}
		return p.merge(value, path...)
	case names:
		m.value = value.with(old)
	}
	if old != nil && (m.keep || m.also != "" && old == m.also || reflect.DeepEqual(old, plain(m.value))) {
		return nil
	}
	return p.set(m.value, path...)
}

// add adds e to a parent, which is made if there is none.
func (p *Plan) add(e entry, path []string) error {
	parent := path[:len(path)-1]
	switch old := p.doc.get(parent...).(type) {
	case nil:
		return p.add(entry{{name: path[len(parent)], value: e}}, parent)
	case map[string]any:
		return p.set(e, path...)
	default:
		return wrongKind(old, "an object", parent...)
	}
}

// set sets a value in the text and checks that it is there then.
func (p *Plan) set(value any, path ...string) error {
	old := p.doc.get(path...)
	if err := p.parse(p.doc.set(value, path...)); err != nil || !reflect.DeepEqual(p.doc.get(path...), plain(value)) {
		return fmt.Errorf("%s %w", strings.Join(path, "."), errExtend)
	}
	p.change(path, old, p.Host.format.show(value, path...))
	return nil
}

// remove removes a value from the text if it has it.
func (p *Plan) remove(path ...string) error {
	old := p.doc.get(path...)
	if old == nil {
		return nil
	}
	if err := p.parse(p.doc.remove(path...)); err != nil || p.doc.get(path...) != nil {
		return fmt.Errorf("%s cannot be removed, because of how it is written: remove it by hand", strings.Join(path, "."))
	}
	p.change(path, old, "")
	return nil
}

// change notes a change of the text. Only members of the entry itself are shown as they
// were: others may hold secrets.
func (p *Plan) change(path []string, old any, shown string) {
	c := Change{In: strings.Join(path[:len(path)-1], "."), New: shown}
	if old != nil {
		c.Old = path[len(path)-1]
		if list, ok := old.([]any); ok {
			old = names(nil).with(list)
		}
		if _, isTable := old.(map[string]any); len(path) == 3 && !isTable {
			c.Old = p.Host.format.show(old, path...)
		}
	}
	p.Changes = append(p.Changes, c)
}

func wrongKind(v any, right string, path ...string) error {
	return fmt.Errorf("%s is %s, and should be %s", strings.Join(path, "."), kindOf(v), right)
}

// kindOf says what a value is.
func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "true or false"
	case null:
		return "null"
	}
	return "a number"
}
