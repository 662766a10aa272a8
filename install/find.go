package install

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Found is what is known of a host and a server on this machine.
type Found struct {
	Here      bool // the host is on this machine
	Installed bool // it has the server
	Lost      bool // it had the server, which was not taken out by us
	File      string
	Command   []string  // with which it starts the server; nil: it has a URL
	Env       []Setting // what the entry adds to its environment, sorted by name
	URL       string
	Err       error // why its file cannot be read
}

// Find looks for h on this machine, and for a server in its file.
func (h *Host) Find(env Env, name string) Found {
	if env.Project != "" && !h.HasProject() {
		return Found{}
	}
	p, err := h.read(env, Server{Name: name})
	found := Found{File: p.File, Err: err}
	found.Here = slices.ContainsFunc(h.places(env), func(file string) bool {
		dir := filepath.Dir(file)
		return exists(file) || env.Project == "" && dir != env.Home && exists(dir)
	})
	_, missing := exec.LookPath(h.program)
	found.Here = found.Here || missing == nil
	if err != nil {
		return found
	}
	v := p.doc.get(h.servers, name)
	found.Installed = v != nil
	copies := p.backups()
	found.Lost = v == nil && len(copies) > 0 && !strings.HasSuffix(copies[len(copies)-1], takenOut)
	if e, ok := v.(map[string]any); ok {
		found.describe(h, e)
	}
	return found
}

// describe fills in what the entry e says of the server.
func (f *Found) describe(h *Host, e map[string]any) {
	for _, key := range []string{"command", "args"} {
		switch v := e[key].(type) {
		case string:
			f.Command = append(f.Command, v)
		case []any:
			f.Command = append(f.Command, names{}.with(v)...)
		}
	}
	for _, key := range []string{"env", "environment"} {
		vars, _ := e[key].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			if value, ok := vars[name].(string); ok {
				f.Env = append(f.Env, Setting{name, value})
			}
		}
	}
	for _, field := range h.http {
		if m := field(h, Server{URL: "u"}); m.value == "u" {
			f.URL, _ = e[m.name].(string)
		}
	}
}

// Command returns the path with which a host should start the program exe: that of a
// link of this name in a folder of dirs, since it stays when an upgrade replaces what is
// behind it, or else exe.
func Command(exe, name string, dirs []string) string {
	self, err := os.Stat(exe)
	if err != nil {
		return exe
	}
	for _, dir := range dirs {
		link := filepath.Join(dir, name+filepath.Ext(exe))
		if info, err := os.Stat(link); err == nil && filepath.IsAbs(link) && os.SameFile(self, info) {
			return link
		}
	}
	return exe
}
