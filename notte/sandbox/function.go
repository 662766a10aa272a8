package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Function describes a Notte Function for [Server.AddFunction].
type Function struct {
	ID              string // drawn at random when empty
	Name            string
	Description     string
	Instructions    string // notes of its builder
	Domain          string // host of the site that it works on
	Variables       []Variable
	ResponseFormat  any // JSON Schema of its result; must be encodable as JSON
	RequiredSecrets []string
	Source          string // such as "anything" or "cli"; empty: null
	SelfHealing     bool
	Published       bool
	Shared          bool
	Inactive        bool      // listed only with only_active=false
	Created         time.Time // now when zero
	// Run is the outcome of each of its runs. If it is nil, a run takes 2 seconds,
	// scaled by the Server's speed, and returns sample data shaped by Variables.
	Run *Outcome
}

// Variable is one input of a Function, in the form in which Notte reads it from
// the Python source.
type Variable struct {
	Name string
	Type string // annotation, such as "int" or "str | None"; empty: null
	// Default is source text, such as "3", "'en'" or "None". If it is nil the
	// variable is required.
	Default *string
}

// function is a Function in the store.
type function struct {
	Function
	Updated  time.Time
	Versions []string  // oldest first, never empty
	Broken   bool      // its demo runs end with a traceback
	ForkOf   string    // ID of the function that it is a fork of
	Schedule *schedule // nil: none
}

// schedule is when a function would run. The sandbox only shows it.
type schedule struct {
	Cron      string
	Variables map[string]any
}

const firstVersion = "1"

// AddFunction adds a function, or replaces the one with the same ID, and returns
// its ID. It panics if a value in f cannot be encoded as JSON.
func (s *Server) AddFunction(f Function) (id string) {
	return s.addFunction(newFunction(f)).ID
}

// UpdateFunction changes a function and gives it a new version, like the upload
// of a changed source. change must not call the Server or change the ID. The
// function panics if a value in the result cannot be encoded as JSON.
func (s *Server) UpdateFunction(id string, change func(*Function)) (err error) {
	s.store.change(func() {
		old, ok := s.store.functions.get(id)
		if !ok {
			err = fmt.Errorf("sandbox: updating a function: no function %q", id)
			return
		}
		f := old.nextVersion(time.Now())
		f.Variables, f.RequiredSecrets = slices.Clone(f.Variables), slices.Clone(f.RequiredSecrets)
		change(&f.Function)
		f.Function = checked(f.Function)
		s.store.functions.put(id, f)
	})
	return err
}

// newFunction returns f in its first version. It panics if a value in f cannot
// be encoded.
func newFunction(f Function) *function {
	return &function{Function: checked(f), Versions: []string{firstVersion}}
}

// checked returns f with its outcome prepared. It panics if a value in f cannot be
// encoded.
func checked(f Function) Function {
	if f.Run != nil {
		f.Run = f.Run.prepared()
	}
	if _, err := encode(f.ResponseFormat); err != nil {
		panic(fmt.Sprintf("sandbox: encoding a response format: %v", err))
	}
	return f
}

// addFunction adds f to the store, with an ID and the times that it lacks.
func (s *Server) addFunction(f *function) *function {
	if f.ID == "" {
		f.ID = s.ids.uuid()
	}
	if f.Created.IsZero() {
		f.Created = time.Now()
	}
	if f.Updated.IsZero() {
		f.Updated = f.Created
	}
	s.store.change(func() { s.store.functions.put(f.ID, f) })
	return f
}

// latest returns the newest version of f.
func (f *function) latest() string { return f.Versions[len(f.Versions)-1] }

// nextVersion returns a copy of f that has one more version since now.
func (f *function) nextVersion(now time.Time) *function {
	next := *f
	n, _ := strconv.Atoi(f.latest())
	next.Versions = append(slices.Clone(f.Versions), strconv.Itoa(n+1))
	if len(next.Versions) > maxVersions {
		next.Versions = next.Versions[1:]
	}
	next.Updated = now
	return &next
}

// maxVersions bounds the versions of a function that are listed.
const maxVersions = 100

// view returns the function on the wire.
func (f *function) view() object {
	variables := make([]object, len(f.Variables))
	for i, v := range f.Variables {
		variables[i] = object{"name", v.Name, "type", orNull(v.Type), "default", v.Default}
	}
	status := "active"
	if f.Inactive {
		status = "inactive"
	}
	var cron, scheduled, state any
	if s := f.Schedule; s != nil {
		cron, scheduled, state = s.Cron, s.Variables, "active"
	}
	return object{
		"function_id", f.ID, "workflow_id", f.ID, "name", f.Name, "description", f.Description, "domain", orNull(f.Domain),
		"variables", variables, "latest_version", f.latest(), "versions", f.Versions, "status", status,
		"source", orNull(f.Source), "self_healing", f.SelfHealing, "published", f.Published, "shared", f.Shared,
		"required_secrets", append([]string{}, f.RequiredSecrets...), "reference_workflow_id", orNull(f.ForkOf), "default_runtime", nil,
		"schedule_cron", cron, "schedule_variables", scheduled, "schedule_state", state,
		"created_at", formatTime(f.Created), "updated_at", formatTime(f.Updated),
	}
}

// details returns the function on the wire when it is asked for by its ID. Its download
// link has this signature.
func (f *function) details(version, signature string) object {
	return append(f.view(), "instructions", orNull(f.Instructions), "response_format", f.ResponseFormat,
		// A reserved top-level domain, so that no client can reach it.
		"url", "https://storage.sandbox.invalid/functions/"+url.PathEscape(f.ID)+"/v"+version+
			".py?X-Amz-Expires=900&X-Amz-Signature="+signature)
}
