package sandbox

import (
	"net/http"
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

// v1Writer writes a story as v1 events.
type v1Writer struct {
	s                    *Server
	st                   *Stream
	story                *story
	viewerURL            string
	threadID, functionID string
}

// demoV1 writes the simulated build of query to st.
func (s *Server) demoV1(st *Stream, r *http.Request, query string) error {
	b := newStory(query, nil)
	v := s.openSession(b.task)
	w := v1Writer{s: s, st: st, story: b, viewerURL: s.origin(r) + v.viewerPath(), threadID: s.ids.uuid()}
	return b.play(s, st, v, "abandoned: the client left", w.write)
}

func (w *v1Writer) write(b beat) error {
	switch b.kind {
	case beatStatus:
		return w.st.Event(event{Type: "status", Status: b.text})
	case beatThinking:
		return w.st.Event(event{Type: "thinking_delta", Delta: b.text})
	case beatText:
		return w.st.Event(event{Type: "text_delta", Delta: b.text})
	case beatViewer:
		return w.st.Event(event{Type: "notte_session_data", ViewerURL: w.viewerURL})
	case beatTool:
		return w.st.Event(event{Type: "tool_start", Name: b.name})
	case beatResult:
		return w.st.Event(event{Type: "tool_result", Content: b.text})
	case beatMessage:
		return w.st.Event(event{Type: "message_complete", Role: "assistant"})
	case beatUpload:
		return w.upload()
	case beatError:
		return w.st.Event(event{Type: "error", Error: "Agent failed", Detail: b.text})
	case beatTimeout:
		return w.st.Event(event{Type: "timeout", Reason: "max_duration", Detail: b.text})
	case beatCancelled:
		return w.st.Event(event{Type: "cancelled", Reason: b.text})
	case beatDone:
		return w.st.Event(event{
			Type: "done", Metadata: map[string]string{"thread_id": w.threadID},
			TotalCostUSD: w.story.task.cost, FunctionID: w.functionID,
		})
	case beatCut:
		if wants(w.story.query, "midchunk") {
			_, err := w.st.Write([]byte(`data: {"type":"do`))
			return err
		}
	}
	return nil
}

// upload adds the function to the store and announces it.
func (w *v1Writer) upload() error {
	f := newFunction(w.story.task.function())
	f.Created, f.Broken = time.Now(), wants(w.story.query, "broken")
	w.s.addFunction(f)
	w.functionID = f.ID
	return w.st.Event(event{Type: "function_uploaded", FunctionID: f.ID, FunctionName: f.Name, CreatedAt: formatTime(f.Created)})
}
