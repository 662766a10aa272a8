package sandbox

import (
	"fmt"
	"net/http"
)

// v2Writer writes a story as the chunks of an AI SDK UI message stream.
type v2Writer struct {
	s         *Server
	st        *Stream
	story     *story
	turn      turn
	session   *session
	viewerURL string
	messageID string

	inStep bool
	block  string // kind of the open block, "reasoning" or "text"; empty: none
	blocks int    // number of blocks so far, for their IDs
	calls  int    // number of tool calls so far, for their IDs
}

// demoV2 starts a turn and writes its simulated build to st. The turn goes on if
// the client leaves.
func (s *Server) demoV2(st *Stream, r *http.Request, in startRequest) error {
	th, b, refused := s.startTurn(in)
	if refused != nil {
		return st.refuse(*refused)
	}
	st.w.Header().Set(threadHeader, th.ID)
	if in.detach {
		return st.answer(http.StatusAccepted, map[string]string{
			"thread_id": th.ID, "url": s.origin(r) + "/threads/" + th.ID, "status": "started",
		})
	}
	st.w.Header().Set(streamHeader, streamVersion)
	if wants(in.query, "noheaders") {
		st.w.Header().Del(threadHeader)
		st.w.Header().Del(streamHeader)
	}
	v := s.openSession(b.task)
	w := v2Writer{
		s: s, st: st, story: b, turn: th.Turn, session: v,
		viewerURL: s.origin(r) + v.viewerPath(), messageID: s.ids.uuid(),
	}
	return b.play(s, st, v, "left by its client; the build goes on", w.write)
}

func (w *v2Writer) chunk(kind string, fields ...any) error {
	return w.st.send(chunkFrame(kind, fields))
}

func (w *v2Writer) write(b beat) error {
	switch b.kind {
	case beatThinking:
		return w.delta("reasoning", b.text)
	case beatText:
		return w.delta("text", b.text)
	}
	if err := w.endBlock(); err != nil {
		return err
	}
	switch b.kind {
	case beatStart:
		return w.chunk("start", "messageId", w.messageID)
	case beatStatus:
		return w.chunk("data-status", "data", map[string]string{"status": b.text}, "transient", true)
	case beatViewer:
		return w.chunk("data-session", "data", sessionData{w.session.id, w.viewerURL}, "transient", true)
	case beatTool:
		return w.call(b.name, b.input)
	case beatResult:
		return w.output(b.text)
	case beatMessage:
		return w.endStep()
	case beatUpload:
		return w.upload(b)
	case beatFlaw:
		return w.chunk("error", "errorText", b.text)
	case beatCut:
		if wants(w.story.query, "midchunk") {
			_, err := w.st.Write([]byte(`data: {"type":"fin`))
			return err
		}
		return nil
	}
	return w.end(b)
}

// sessionData is the data of the chunk that has the viewer's page.
type sessionData struct {
	SessionID string `json:"session_id"`
	ViewerURL string `json:"viewer_url"`
}

// delta writes a delta of a block, which it begins if it is not open.
func (w *v2Writer) delta(block, text string) error {
	if w.block != block {
		if err := w.endBlock(); err != nil {
			return err
		}
		if err := w.beginStep(); err != nil {
			return err
		}
		w.block = block
		w.blocks++
		if err := w.chunk(block+"-start", "id", w.blockID()); err != nil {
			return err
		}
	}
	return w.chunk(block+"-delta", "id", w.blockID(), "delta", text)
}

func (w *v2Writer) blockID() string { return fmt.Sprint(w.block, "-", w.blocks) }

func (w *v2Writer) endBlock() error {
	if w.block == "" {
		return nil
	}
	id, kind := w.blockID(), w.block
	w.block = ""
	return w.chunk(kind+"-end", "id", id)
}

func (w *v2Writer) beginStep() error {
	if w.inStep {
		return nil
	}
	w.inStep = true
	return w.chunk("start-step")
}

func (w *v2Writer) endStep() error {
	if !w.inStep {
		return nil
	}
	w.inStep = false
	return w.chunk("finish-step")
}

// call writes a call of a tool with its whole input.
func (w *v2Writer) call(name, input string) error {
	if err := w.beginStep(); err != nil {
		return err
	}
	w.calls++
	if err := w.chunk("tool-input-start", "toolCallId", w.callID(), "toolName", name, "dynamic", true); err != nil {
		return err
	}
	return w.chunk("tool-input-available", "toolCallId", w.callID(), "toolName", name,
		"input", map[string]string{"target": input}, "dynamic", true)
}

func (w *v2Writer) callID() string { return fmt.Sprint("call-", w.calls) }

// output writes what the last tool has returned.
func (w *v2Writer) output(output any) error {
	return w.chunk("tool-output-available", "toolCallId", w.callID(), "output", output, "dynamic", true)
}

// functionData is the data of the chunk that has the function.
type functionData struct {
	FunctionID   string `json:"function_id"`
	FunctionName string `json:"function_name"`
	Version      string `json:"version,omitempty"`
	CreatedAt    string `json:"created_at,omitempty"`
	UpdatedAt    string `json:"updated_at,omitempty"`
}

// upload writes the call that uploads the function, and the function. The store
// has it already, because the turn is a timeline.
func (w *v2Writer) upload(b beat) error {
	data := functionData{FunctionID: w.turn.FunctionID, FunctionName: w.story.task.name}
	w.s.store.view(func() {
		if f, ok := w.s.store.functions.get(w.turn.FunctionID); ok {
			data.Version, data.CreatedAt, data.UpdatedAt = f.latest(), formatTime(f.Created), formatTime(f.Updated)
		}
	})
	if err := w.call(b.name, b.input); err != nil {
		return err
	}
	if err := w.output(map[string]string{"function_id": data.FunctionID, "name": data.FunctionName}); err != nil {
		return err
	}
	return w.chunk("data-function", "id", "function", "data", data)
}

// end writes the end of the stream.
func (w *v2Writer) end(b beat) error {
	if err := w.endStep(); err != nil {
		return err
	}
	cost := map[string]float64{"total_cost_usd": w.story.task.cost}
	var err error
	switch b.kind {
	case beatError:
		if err = w.chunk("error", "errorText", "Agent failed: "+b.text); err == nil {
			err = w.chunk("finish", "finishReason", "error", "messageMetadata", cost)
		}
	case beatTimeout:
		err = w.chunk("abort", "reason", "timeout: "+b.text)
	case beatCancelled:
		err = w.chunk("abort", "reason", b.text)
	default:
		err = w.chunk("finish", "finishReason", "stop", "messageMetadata", cost)
	}
	if err != nil || wants(w.story.query, "nodone") {
		return err
	}
	return w.st.send([]byte(doneFrame))
}
