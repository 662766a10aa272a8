package sandbox

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// scripts holds the answers that replace those of the demo.
type scripts struct {
	mu     sync.Mutex // guards the fields below
	byName map[scriptName][]Step
	faults []*fault // the newest last
}

// scriptName names a script by a build's query or a run's function.
type scriptName struct{ query, functionID string }

// fault replaces the answers of a route.
type fault struct {
	method, pattern string
	left            int // number of requests left; negative: no limit
	steps           []Step
}

// Script sets the answer to each build of exactly this query. The key and the
// request are checked before it is played. Without steps it removes the script.
func (s *Server) Script(query string, steps ...Step) {
	s.scripts.set(scriptName{query: query}, steps)
}

// ScriptRun sets the answer to each start of a run of this function, streamed
// or not. The run starts before the first step and reaches its Outcome whatever
// the steps do. Without steps it removes the script.
func (s *Server) ScriptRun(functionID string, steps ...Step) {
	s.scripts.set(scriptName{functionID: functionID}, steps)
}

// Fault plays the steps instead of handling requests of a route. The request is
// not checked and has no effect, unless one of the steps is [Demo]. The method
// "" matches any. The pattern is a route's path as written in the package
// comment, such as "/functions/{id}/runs/create", or a glob for path.Match. If
// several faults match, the newest is played. A fault replaces an older one with
// the same method and pattern; without steps it only removes it.
func (s *Server) Fault(method, pattern string, steps ...Step) {
	s.FaultNext(-1, method, pattern, steps...)
}

// FaultNext is Fault for the next n matching requests only.
func (s *Server) FaultNext(n int, method, pattern string, steps ...Step) {
	s.scripts.mu.Lock()
	defer s.scripts.mu.Unlock()
	s.scripts.faults = slices.DeleteFunc(s.scripts.faults, func(f *fault) bool {
		return f.method == method && f.pattern == pattern
	})
	if n != 0 && len(steps) > 0 {
		s.scripts.faults = append(s.scripts.faults, &fault{method, pattern, n, steps})
	}
}

func (c *scripts) set(name scriptName, steps []Step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = make(map[scriptName][]Step)
	}
	c.byName[name] = steps
}

// get returns the steps of a script, or the demo alone if there are none.
func (c *scripts) get(name scriptName) []Step {
	c.mu.Lock()
	defer c.mu.Unlock()
	if steps := c.byName[name]; len(steps) > 0 {
		return steps
	}
	return []Step{Demo()}
}

// takeFault returns the steps of the newest matching fault and counts one of its
// requests as used. It returns nil if none matches. route is the pattern of the
// mux, "METHOD /path" or empty.
func (c *scripts) takeFault(method, url, route string) []Step {
	_, route, _ = strings.Cut(route, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range slices.Backward(c.faults) {
		if f.method != "" && f.method != method {
			continue
		}
		if glob, err := path.Match(f.pattern, url); f.pattern != route && (err != nil || !glob) {
			continue
		}
		if f.left > 0 {
			f.left--
		}
		if f.left == 0 {
			c.faults = slices.Delete(c.faults, i, i+1)
		}
		return f.steps
	}
	return nil
}
