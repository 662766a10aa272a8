package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Function describes a Notte Function for [Server.AddFunction].
type Function struct {
	ID          string // drawn at random when empty
	Name        string
	Description string
	Variables   []Variable
	Inactive    bool // listed only with only_active=false
	// Run is the outcome of each of its runs. If it is nil, a run takes 2 seconds,
	// scaled by the Server's speed, and returns sample data shaped by Variables.
	Run *Outcome
}

// Variable is one input of a Function. A nil Default makes it required.
type Variable struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Default any    `json:"default,omitempty"`
}

// function is a Function in the store.
type function struct {
	Function
	created time.Time
	broken  bool // its demo runs end with a traceback
}

// AddFunction adds a function, or replaces the one with the same ID, and returns
// its ID. It panics if a value in f cannot be encoded as JSON.
func (s *Server) AddFunction(f Function) (id string) {
	if f.Run != nil {
		f.Run = f.Run.prepared()
	}
	return s.addFunction(&function{Function: f}).ID
}

func (s *Server) addFunction(f *function) *function {
	if f.ID == "" {
		f.ID = s.ids.uuid()
	}
	f.created = time.Now()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.functions.put(f.ID, f)
	return f
}

// functionView is a function on the wire.
type functionView struct {
	FunctionID      string     `json:"function_id"`
	WorkflowID      string     `json:"workflow_id"`
	Name            string     `json:"name"`
	Description     string     `json:"description"`
	Variables       []Variable `json:"variables"`
	LatestVersion   string     `json:"latest_version"`
	Versions        []string   `json:"versions"`
	Status          string     `json:"status"`
	Shared          bool       `json:"shared"`
	RequiredSecrets []string   `json:"required_secrets"`
	CreatedAt       string     `json:"created_at"`
	UpdatedAt       string     `json:"updated_at"`
	URL             string     `json:"url,omitempty"`
}

// onlyVersion is the version of every function.
const onlyVersion = "1"

func (f *function) view() functionView {
	v := functionView{
		FunctionID: f.ID, WorkflowID: f.ID, Name: f.Name, Description: f.Description,
		Variables: f.Variables, LatestVersion: onlyVersion, Versions: []string{onlyVersion},
		Status: "active", RequiredSecrets: []string{},
		CreatedAt: formatTime(f.created), UpdatedAt: formatTime(f.created),
	}
	if f.Inactive {
		v.Status = "inactive"
	}
	if v.Variables == nil {
		v.Variables = []Variable{}
	}
	return v
}

// withFunction looks up {id} and answers 404 if there is none. A function in the
// store never changes.
func (s *Server) withFunction(next func(http.ResponseWriter, *http.Request, *function)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.store.mu.Lock()
		f, ok := s.store.functions.get(r.PathValue("id"))
		s.store.mu.Unlock()
		if !ok {
			writeJSON(w, http.StatusNotFound, detail("Function not found"))
			return
		}
		next(w, r, f)
	}
}

func (s *Server) listFunctions(w http.ResponseWriter, r *http.Request) {
	p, problems := readPaging(r)
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	var all []any
	s.store.mu.Lock()
	for f := range s.store.functions.newest() {
		if !p.onlyActive || !f.Inactive {
			all = append(all, f.view())
		}
	}
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, p.cut(all))
}

func (s *Server) getFunction(w http.ResponseWriter, r *http.Request, f *function) {
	if v := r.URL.Query().Get("version"); v != "" && v != onlyVersion {
		writeJSON(w, http.StatusNotFound, detail("Function version not found"))
		return
	}
	v := f.view()
	// A reserved top-level domain, so that no client can reach it.
	v.URL = "https://storage.sandbox.invalid/functions/" + url.PathEscape(f.ID) +
		"/v1.py?X-Amz-Expires=900&X-Amz-Signature=" + s.ids.token()
	writeJSON(w, http.StatusOK, v)
}

func (s *Server) deleteFunction(w http.ResponseWriter, _ *http.Request, f *function) {
	s.store.mu.Lock()
	s.store.functions.drop(f.ID)
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]string{"status": "success", "message": "Function deleted"})
}

func (s *Server) forkFunction(w http.ResponseWriter, _ *http.Request, f *function) {
	fork := *f
	fork.ID = ""
	writeJSON(w, http.StatusOK, s.addFunction(&fork).view())
}

// paging is the query of a list.
type paging struct {
	page, size int
	onlyActive bool
}

const (
	defaultPageSize = 10
	maxPageSize     = 100
)

// readPaging reads page (from 1), page_size (1 to 100, 10 unless given) and
// only_active (true unless given).
func readPaging(r *http.Request) (paging, []problem) {
	p := paging{page: 1, size: defaultPageSize, onlyActive: true}
	q := r.URL.Query()
	var problems []problem
	bounded := func(name string, into *int, most int) {
		text := q.Get(name)
		if text == "" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			problems = append(problems, problem{"int_parsing", []any{"query", name},
				"Input should be an integer between 1 and " + strconv.Itoa(most)})
		}
		*into = n
	}
	bounded("page", &p.page, 1_000_000)
	bounded("page_size", &p.size, maxPageSize)
	if text := q.Get("only_active"); text != "" {
		var err error
		if p.onlyActive, err = strconv.ParseBool(text); err != nil {
			problems = append(problems, problem{"bool_parsing", []any{"query", "only_active"},
				"Input should be a valid boolean, unable to interpret input"})
		}
	}
	return p, problems
}

// page is one page of a list on the wire.
type page struct {
	Items       []any `json:"items"`
	Page        int   `json:"page"`
	PageSize    int   `json:"page_size"`
	HasNext     bool  `json:"has_next"`
	HasPrevious bool  `json:"has_previous"`
}

// cut returns the page of all that p asks for.
func (p paging) cut(all []any) page {
	from := min((p.page-1)*p.size, len(all))
	to := min(from+p.size, len(all))
	return page{
		Items: append([]any{}, all[from:to]...), Page: p.page, PageSize: p.size,
		HasNext: to < len(all), HasPrevious: p.page > 1,
	}
}
