package sandbox

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// event is one event of a build, with the fields of the published v1 page.
type event struct {
	Type         string            `json:"type"`
	Status       string            `json:"status,omitempty"`
	Delta        string            `json:"delta,omitempty"`
	Name         string            `json:"name,omitempty"`
	Content      string            `json:"content,omitempty"`
	Role         string            `json:"role,omitempty"`
	ViewerURL    string            `json:"viewer_url,omitempty"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	TotalCostUSD float64           `json:"total_cost_usd,omitempty"`
	FunctionID   string            `json:"function_id,omitempty"`
	FunctionName string            `json:"function_name,omitempty"`
	CreatedAt    string            `json:"created_at,omitempty"`
	Error        string            `json:"error,omitempty"`
	Detail       string            `json:"detail,omitempty"`
	Reason       string            `json:"reason,omitempty"`
}

// demoBuild writes the events of one simulated build. After its first error it
// writes nothing more, so its methods return no errors.
type demoBuild struct {
	s       *Server
	st      *Stream
	task    task
	session *session
	wants   func(ending string) bool
	slower  time.Duration
	err     error
}

// runDemo writes the simulated build of query to st.
func (s *Server) runDemo(st *Stream, r *http.Request, query string) error {
	b := &demoBuild{s: s, st: st, task: newTask(query), slower: 1}
	b.wants = func(ending string) bool { return strings.Contains(query, "[sandbox:"+ending+"]") }
	if b.wants("slow") {
		b.slower = 20
	}
	b.session = s.openSession(b.task)

	b.prepare(s.origin(r))
	b.explore()
	b.build()

	switch {
	case b.err != nil:
		s.closeSession(b.session, "abandoned: the client left")
	case b.wants("cut"):
		s.closeSession(b.session, "cut off")
	default:
		s.closeSession(b.session, "finished")
	}
	return b.err
}

// prepare starts the simulated browser session.
func (b *demoBuild) prepare(origin string) {
	b.status("starting")
	b.think("The user wants to “" + clip(b.task.query, maxQuoted) + "”. First I look at the page itself.")
	b.emit(200*time.Millisecond, event{Type: "notte_session_data", ViewerURL: origin + b.session.viewerPath()})
	b.status("running")
}

// explore reads the simulated page.
func (b *demoBuild) explore() {
	b.tool("browser_goto", b.task.site, "Opened "+b.task.site+" (simulated).")
	b.tool("browser_observe", "what is on the page", "A list of entries, each with a title and a link (simulated).")
	b.think("The entries repeat one pattern, so one extraction step will do.")
	b.tool("browser_scrape", "titles and links", `[{"title": "Sample entry 1"}, {"title": "Sample entry 2"}]`)
	if b.wants("error") {
		b.end(event{Type: "error", Error: "Agent failed", Detail: "The simulated page could not be read."})
		return
	}
	b.text("The page is simple enough. I am writing a function for it now. ")
	b.emit(50*time.Millisecond, event{Type: "message_complete", Role: "assistant"})
}

// build writes and uploads the function, and ends the stream.
func (b *demoBuild) build() {
	if b.wants("error") {
		return
	}
	done := event{Type: "done", Metadata: map[string]string{"thread_id": b.s.ids.uuid()}, TotalCostUSD: b.task.cost}
	b.status("building")
	b.tool("write_function", b.task.name+".py", "Wrote "+b.task.name+".py.")
	if !b.wants("nofunction") {
		b.tool("test_function", "one trial run", "The trial run returned sample data (simulated).")
		done.FunctionID = b.upload()
	}
	switch {
	case b.wants("timeout"):
		b.end(event{Type: "timeout", Reason: "max_duration", Detail: "The simulated agent ran out of time."})
	case b.wants("cancelled"):
		b.end(event{Type: "cancelled", Reason: "user_cancelled"})
	case b.wants("cut"):
		b.note("cut", "the stream ends without a terminal event")
	default:
		b.text(b.answer())
		b.emit(50*time.Millisecond, event{Type: "message_complete", Role: "assistant"})
		b.end(done)
	}
}

// upload adds the function to the store, announces it and returns its ID.
func (b *demoBuild) upload() string {
	b.pause(400 * time.Millisecond)
	if b.err != nil {
		return "" // the client has left
	}
	f := b.s.addFunction(&function{Function: Function{
		Name: b.task.name, Description: clip(b.task.query, 200), Variables: b.task.vars,
	}, broken: b.wants("broken")})
	b.note("function_uploaded", f.Name)
	b.emit(0, event{Type: "function_uploaded", FunctionID: f.ID, FunctionName: f.Name, CreatedAt: formatTime(f.created)})
	return f.ID
}

func (b *demoBuild) answer() string {
	if b.wants("nofunction") {
		return "Done, without a function: there was nothing here to run again. All of this is simulated."
	}
	names := make([]string, len(b.task.vars))
	for i, v := range b.task.vars {
		names[i] = v.Name
	}
	return fmt.Sprintf("Done: the function %s takes %s and can be run again at any time. All of this is simulated: no web page was read.",
		b.task.name, strings.Join(names, " and "))
}

func (b *demoBuild) status(status string) {
	b.note("status", status)
	b.emit(150*time.Millisecond, event{Type: "status", Status: status})
}

func (b *demoBuild) think(text string) {
	b.note("thinking", text)
	for delta := range deltas(text) {
		b.emit(50*time.Millisecond, event{Type: "thinking_delta", Delta: delta})
	}
}

func (b *demoBuild) text(text string) {
	b.note("text", text)
	for delta := range deltas(text) {
		b.emit(50*time.Millisecond, event{Type: "text_delta", Delta: delta})
	}
}

func (b *demoBuild) tool(name, what, result string) {
	b.pause(200 * time.Millisecond)
	b.note("tool", name+": "+what)
	b.emit(0, event{Type: "tool_start", Name: name})
	b.emit(450*time.Millisecond, event{Type: "tool_result", Content: result})
}

func (b *demoBuild) end(e event) {
	b.note(e.Type, strings.TrimSpace(e.Error+" "+e.Reason+" "+e.Detail))
	b.emit(200*time.Millisecond, e)
}

func (b *demoBuild) emit(pause time.Duration, e event) {
	b.pause(pause)
	if b.err == nil {
		b.err = b.st.Event(e)
	}
}

func (b *demoBuild) pause(d time.Duration) {
	if b.err == nil {
		b.err = b.s.pause(b.st.ctx, d*b.slower)
	}
}

// note adds a step to the viewer's page.
func (b *demoBuild) note(kind, text string) {
	if b.err == nil {
		b.s.note(b.session, kind, text)
	}
}

// deltas splits text after every third space, like the deltas of a model.
func deltas(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		spaces, start := 0, 0
		for i, r := range text {
			if r != ' ' {
				continue
			}
			if spaces++; spaces%3 == 0 {
				if !yield(text[start : i+1]) {
					return
				}
				start = i + 1
			}
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// origin returns the address at which a browser reaches the Server.
func (s *Server) origin(r *http.Request) string {
	if s.baseURL != "" {
		return s.baseURL
	}
	origin := url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		origin.Scheme = "https"
	}
	return origin.String()
}

// formatTime formats t the way Notte does: UTC with microseconds.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
