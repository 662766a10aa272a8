package sandbox

import (
	"net/http"
	"time"
)

// v1Writer writes a story as v1 events, with the fields of the published page.
type v1Writer struct {
	st                   *Stream
	story                *story
	viewerURL            string
	threadID, functionID string
}

// demoV1 writes the simulated build of query to st.
func (s *Server) demoV1(st *Stream, r *http.Request, query string) error {
	b := newStory(query, nil)
	v := s.openSession(b.task)
	w := v1Writer{st: st, story: b, viewerURL: s.origin(r) + v.viewerPath(), threadID: s.ids.uuid()}
	return b.play(st, v, "abandoned: the client left", w.write)
}

func (w *v1Writer) write(b beat) error {
	switch b.kind {
	case beatStatus:
		return w.st.chunk("status", "status", b.text)
	case beatThinking:
		return w.st.chunk("thinking_delta", "delta", b.text)
	case beatText:
		return w.st.chunk("text_delta", "delta", b.text)
	case beatViewer:
		return w.st.chunk("notte_session_data", "viewer_url", w.viewerURL)
	case beatTool:
		return w.st.chunk("tool_start", "name", b.name)
	case beatResult:
		return w.st.chunk("tool_result", "content", b.text)
	case beatMessage:
		return w.st.chunk("message_complete", "role", "assistant")
	case beatUpload:
		return w.upload()
	case beatError:
		return w.st.chunk("error", "error", "Agent failed", "detail", b.text)
	case beatTimeout:
		return w.st.chunk("timeout", "detail", b.text, "reason", "max_duration")
	case beatCancelled:
		return w.st.chunk("cancelled", "reason", b.text)
	case beatDone:
		fields := []any{"metadata", map[string]string{"thread_id": w.threadID}, "total_cost_usd", w.story.task.cost}
		if w.functionID != "" {
			fields = append(fields, "function_id", w.functionID)
		}
		return w.st.chunk("done", fields...)
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
	w.st.server.addFunction(f)
	w.functionID = f.ID
	return w.st.chunk("function_uploaded", "function_id", f.ID, "function_name", f.Name, "created_at", formatTime(f.Created))
}
