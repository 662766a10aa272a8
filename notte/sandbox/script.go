package sandbox

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// scripts says which requests do not get the demo's answer.
type scripts struct {
	mu     sync.Mutex // guards the fields below
	builds map[string][]Step
	runs   map[string][]Step
	faults []*fault // the newest last
}

// fault replaces the answer of a route.
type fault struct {
	method, pattern string
	left            int // how many more requests; negative for all
	steps           []Step
}

// Script says how a build of exactly this query is answered, each time, until
// it is replaced. Key and request are checked first. No steps: the demo again.
func (s *Server) Script(query string, steps ...Step) {
	s.scripts.mu.Lock()
	defer s.scripts.mu.Unlock()
	s.scripts.builds = withScript(s.scripts.builds, query, steps)
}

// ScriptRun says how each start of a run of this function is answered, streamed
// or not, until it is replaced. The run itself starts all the same, before the
// first step, and comes to its Outcome whatever the script does. No steps: the
// demo again.
func (s *Server) ScriptRun(functionID string, steps ...Step) {
	s.scripts.mu.Lock()
	defer s.scripts.mu.Unlock()
	s.scripts.runs = withScript(s.scripts.runs, functionID, steps)
}

// Fault puts the steps in the place of a route, before anything of the request
// is checked and without the route's effect, unless [Demo] is among them.
// The method "" is any. The pattern is a route's path as the package comment has
// it, such as "/functions/{id}/runs/create", or a glob in the sense of
// path.Match. The newest fault that fits counts; a fault for the same method and
// pattern is replaced, by nothing if there are no steps.
func (s *Server) Fault(method, pattern string, steps ...Step) {
	s.FaultNext(-1, method, pattern, steps...)
}

// FaultNext is Fault for only the next n requests that fit.
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

func withScript(scripts map[string][]Step, name string, steps []Step) map[string][]Step {
	if scripts == nil {
		scripts = make(map[string][]Step)
	}
	if len(steps) == 0 {
		delete(scripts, name)
	} else {
		scripts[name] = steps
	}
	return scripts
}

// demoOnly is the script of whatever has none.
var demoOnly = []Step{Demo()}

func (c *scripts) build(query string) []Step {
	c.mu.Lock()
	defer c.mu.Unlock()
	if steps, ok := c.builds[query]; ok {
		return steps
	}
	return demoOnly
}

func (c *scripts) run(functionID string) []Step {
	c.mu.Lock()
	defer c.mu.Unlock()
	if steps, ok := c.runs[functionID]; ok {
		return steps
	}
	return demoOnly
}

// takeFault returns the steps of the fault that fits, using up one of its
// requests, or nil. route is the mux's pattern, "METHOD /path" or empty.
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
