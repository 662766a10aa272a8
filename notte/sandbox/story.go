package sandbox

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// event is one event of a build as the Anything API documents it.
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

// teller tells the story of one build. Its first error silences the rest, so
// that the story reads as one.
type teller struct {
	s       *Server
	st      *Stream
	task    task
	session *session
	wants   func(ending string) bool
	slower  time.Duration
	err     error
}

// tell plays the demo's build of query.
func (s *Server) tell(st *Stream, r *http.Request, query string) error {
	t := &teller{s: s, st: st, task: newTask(query), slower: 1}
	t.wants = func(ending string) bool { return strings.Contains(query, "[sandbox:"+ending+"]") }
	if t.wants("slow") {
		t.slower = 20
	}
	t.session = s.openSession(t.task)

	t.prepare(s.origin(r))
	t.explore()
	t.build()

	switch {
	case t.err != nil:
		s.closeSession(t.session, "abandoned: the client left")
	case t.wants("cut"):
		s.closeSession(t.session, "cut off")
	default:
		s.closeSession(t.session, "finished")
	}
	return t.err
}

// prepare opens the pretended browser.
func (t *teller) prepare(origin string) {
	t.status("starting")
	t.think("The user wants to “" + clip(t.task.query, maxQuoted) + "”. First I look at the page itself.")
	t.say(200*time.Millisecond, event{Type: "notte_session_data", ViewerURL: origin + t.session.viewerPath()})
	t.status("running")
}

// explore visits the pretended page.
func (t *teller) explore() {
	t.tool("browser_goto", t.task.site, "Opened "+t.task.site+" (simulated).")
	t.tool("browser_observe", "what is on the page", "A list of entries, each with a title and a link (simulated).")
	t.think("The entries repeat one pattern, so one extraction step will do.")
	t.tool("browser_scrape", "titles and links", `[{"title": "Sample entry 1"}, {"title": "Sample entry 2"}]`)
	if t.wants("error") {
		t.end(event{Type: "error", Error: "Agent failed", Detail: "The simulated page could not be read."})
		return
	}
	t.text("The page is simple enough. I am writing a function for it now. ")
	t.say(50*time.Millisecond, event{Type: "message_complete", Role: "assistant"})
}

// build writes, uploads and hands over the function.
func (t *teller) build() {
	if t.wants("error") {
		return
	}
	done := event{Type: "done", Metadata: map[string]string{"thread_id": t.s.ids.uuid()}, TotalCostUSD: t.task.cost}
	t.status("building")
	t.tool("write_function", t.task.name+".py", "Wrote "+t.task.name+".py.")
	if !t.wants("nofunction") {
		t.tool("test_function", "one trial run", "The trial run returned sample data (simulated).")
		done.FunctionID = t.upload()
	}
	switch {
	case t.wants("timeout"):
		t.end(event{Type: "timeout", Reason: "max_duration", Detail: "The simulated agent ran out of time."})
	case t.wants("cancelled"):
		t.end(event{Type: "cancelled", Reason: "user_cancelled"})
	case t.wants("cut"):
		t.note("cut", "the stream ends without a terminal event")
	default:
		t.text(t.answer())
		t.say(50*time.Millisecond, event{Type: "message_complete", Role: "assistant"})
		t.end(done)
	}
}

// upload makes the function real and announces it.
func (t *teller) upload() string {
	t.pause(400 * time.Millisecond)
	if t.err != nil {
		return "" // the client left before
	}
	f := t.s.addFunction(&function{Function: Function{
		Name: t.task.name, Description: clip(t.task.query, 200), Variables: t.task.vars,
	}, broken: t.wants("broken")})
	t.note("function_uploaded", f.Name)
	t.say(0, event{Type: "function_uploaded", FunctionID: f.ID, FunctionName: f.Name, CreatedAt: stamp(f.created)})
	return f.ID
}

func (t *teller) answer() string {
	if t.wants("nofunction") {
		return "Done, without a function: there was nothing here to run again. All of this is simulated."
	}
	names := make([]string, len(t.task.vars))
	for i, v := range t.task.vars {
		names[i] = v.Name
	}
	return fmt.Sprintf("Done: the function %s takes %s and can be run again at any time. All of this is simulated: no web page was read.",
		t.task.name, strings.Join(names, " and "))
}

func (t *teller) status(status string) {
	t.note("status", status)
	t.say(150*time.Millisecond, event{Type: "status", Status: status})
}

func (t *teller) think(text string) {
	t.note("thinking", text)
	for delta := range deltas(text) {
		t.say(50*time.Millisecond, event{Type: "thinking_delta", Delta: delta})
	}
}

func (t *teller) text(text string) {
	t.note("text", text)
	for delta := range deltas(text) {
		t.say(50*time.Millisecond, event{Type: "text_delta", Delta: delta})
	}
}

func (t *teller) tool(name, what, result string) {
	t.pause(200 * time.Millisecond)
	t.note("tool", name+": "+what)
	t.say(0, event{Type: "tool_start", Name: name})
	t.say(450*time.Millisecond, event{Type: "tool_result", Content: result})
}

func (t *teller) end(e event) {
	t.note(e.Type, strings.TrimSpace(e.Error+" "+e.Reason+" "+e.Detail))
	t.say(200*time.Millisecond, e)
}

func (t *teller) say(pause time.Duration, e event) {
	t.pause(pause)
	if t.err == nil {
		t.err = t.st.Event(e)
	}
}

func (t *teller) pause(d time.Duration) {
	if t.err == nil {
		t.err = t.s.pause(t.st.ctx, d*t.slower)
	}
}

// note shows a step on the viewer's page.
func (t *teller) note(kind, text string) {
	if t.err == nil {
		t.s.note(t.session, kind, text)
	}
}

// deltas cuts text after each third space, as a model's words come in pieces.
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

// origin is where a browser reaches this Server.
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

// stamp is a time as Notte writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
