package sandbox

import (
	"fmt"
	"net/http"
)

// v2Writer writes a story as the chunks of an AI SDK UI message stream.
type v2Writer struct {
	st        *Stream
	story     *story
	turn      turn
	session   *session
	viewerURL string
	messageID string

	out    []byte // chunks of the current beat
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
	h := st.w.Header()
	h.Set(threadHeader, th.ID)
	if in.detach {
		return st.answer(http.StatusAccepted, map[string]string{
			"thread_id": th.ID, "url": s.origin(r) + "/threads/" + th.ID, "status": "started",
		})
	}
	h.Set(streamHeader, streamVersion)
	if wants(in.query, "noheaders") {
		h.Del(threadHeader)
		h.Del(streamHeader)
	}
	v := s.openSession(b.task)
	w := v2Writer{
		st: st, story: b, turn: th.Turn, session: v,
		viewerURL: s.origin(r) + v.viewerPath(), messageID: s.ids.uuid(),
	}
	return b.play(st, v, "left by its client; the build goes on", w.write)
}

// write writes the chunks of one beat and flushes them together.
func (w *v2Writer) write(b beat) error {
	w.out = w.out[:0]
	switch b.kind {
	case beatThinking:
		w.delta("reasoning", b.text)
	case beatText:
		w.delta("text", b.text)
	default:
		w.endBlock()
		w.add(b)
	}
	return w.st.send(w.out)
}

// add adds the chunks of a beat that is no delta.
func (w *v2Writer) add(b beat) {
	switch b.kind {
	case beatStart:
		w.chunk("start", "messageId", w.messageID)
	case beatStatus:
		w.chunk("data-status", "data", map[string]string{"status": b.text}, "transient", true)
	case beatViewer:
		w.chunk("data-session", "data", object{"session_id", w.session.id, "viewer_url", w.viewerURL}, "transient", true)
	case beatTool:
		w.call(b.name, b.input)
	case beatResult:
		w.result(b.text)
	case beatMessage:
		w.endStep()
	case beatUpload:
		w.upload(b)
	case beatFlaw:
		w.chunk("error", "errorText", b.text)
	case beatCut:
		if wants(w.story.query, "midchunk") {
			w.out = append(w.out, `data: {"type":"fin`...)
		}
	default:
		w.end(b)
	}
}

func (w *v2Writer) chunk(kind string, fields ...any) {
	w.out = append(w.out, eventFrame(chunk(kind, fields))...)
}

// delta adds a delta of a block, which it begins if it is not open.
func (w *v2Writer) delta(block, text string) {
	if w.block != block {
		w.endBlock()
		w.beginStep()
		w.block = block
		w.blocks++
		w.chunk(block+"-start", "id", w.blockID())
	}
	w.chunk(block+"-delta", "id", w.blockID(), "delta", text)
}

func (w *v2Writer) blockID() string { return fmt.Sprint(w.block, "-", w.blocks) }

func (w *v2Writer) endBlock() {
	if w.block != "" {
		w.chunk(w.block+"-end", "id", w.blockID())
		w.block = ""
	}
}

func (w *v2Writer) beginStep() {
	if !w.inStep {
		w.inStep = true
		w.chunk("start-step")
	}
}

func (w *v2Writer) endStep() {
	if w.inStep {
		w.inStep = false
		w.chunk("finish-step")
	}
}

// call adds a call of a tool with its whole input.
func (w *v2Writer) call(name, input string) {
	w.beginStep()
	w.calls++
	w.chunk("tool-input-start", "toolCallId", w.callID(), "toolName", name, "dynamic", true)
	w.chunk("tool-input-available", "toolCallId", w.callID(), "toolName", name,
		"input", map[string]string{"target": input}, "dynamic", true)
}

func (w *v2Writer) callID() string { return fmt.Sprint("call-", w.calls) }

// result adds what the last tool has returned.
func (w *v2Writer) result(output any) {
	w.chunk("tool-output-available", "toolCallId", w.callID(), "output", output, "dynamic", true)
}

// upload adds the call that uploads the function, and the function. The store
// has it already, because the turn is a timeline.
func (w *v2Writer) upload(b beat) {
	id, name := w.turn.FunctionID, w.story.task.name
	data := object{"function_id", id, "function_name", name}
	store := &w.st.server.store
	store.view(func() {
		if f, ok := store.functions.get(id); ok {
			data = append(data, "version", f.latest(), "created_at", formatTime(f.Created), "updated_at", formatTime(f.Updated))
		}
	})
	w.call(b.name, b.input)
	w.result(map[string]string{"function_id": id, "name": name})
	w.chunk("data-function", "id", "function", "data", data)
}

// end adds the end of the stream.
func (w *v2Writer) end(b beat) {
	w.st.release()
	w.endStep()
	cost := map[string]float64{"total_cost_usd": w.story.task.cost}
	switch b.kind {
	case beatError:
		w.chunk("error", "errorText", "Agent failed: "+b.text)
		w.chunk("finish", "finishReason", "error", "messageMetadata", cost)
	case beatTimeout:
		w.chunk("abort", "reason", "timeout: "+b.text)
	case beatCancelled:
		w.chunk("abort", "reason", b.text)
	default:
		w.chunk("finish", "finishReason", "stop", "messageMetadata", cost)
	}
	if !wants(w.story.query, "nodone") {
		w.out = append(w.out, doneFrame...)
	}
}
