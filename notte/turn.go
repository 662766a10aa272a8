package notte

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

const (
	maxTools = 1000 // calls that a turn remembers; beyond it some may get a second tool_start
	maxLabel = 200  // bytes that a turn keeps of an ID, a name or a status
)

// turn is the state of a build that the chunks of a v2 stream have reported so far.
type turn struct {
	out  []Event // the events of the last chunk
	seen bool    // there was a chunk

	text, reasoning blocks
	spoke           bool                // text came since the last message_complete
	steps           int                 // begun so far
	status          string              // the last status, which is not repeated
	tools           map[string]toolCall // by their IDs; nil before the first
	threadID        string

	client   *Client
	skip     func(why string, size int) // called for each payload that is not searched
	viewer   string                     // the last viewer_url
	function function                   // that the last function_uploaded named
	place    string                     // where the stream named it
	cost     *float64
	costKey  int // which of costKeys had cost

	ending ending
	closed bool // by "[DONE]"
}

func newTurn(c *Client, skip func(why string, size int)) turn {
	return turn{client: c, skip: skip, text: blocks{typ: EventTextDelta}, reasoning: blocks{typ: EventThinkingDelta}}
}

// take yields the events of a chunk of size bytes, until yield returns false, and
// then returns false.
func (t *turn) take(size int, yield func(Event) bool) (more bool) {
	t.seen = true
	out := t.out
	t.out = nil // a quiet stream holds none
	for _, ev := range out {
		ev.Size = size
		if !yield(ev) {
			return false
		}
	}
	return true
}

func (t *turn) add(ev Event) { t.out = append(t.out, ev) }

// tell adds a status, unless it is the same as the last one.
func (t *turn) tell(status string) {
	if begin := text.Prefix(status, maxLabel); status != "" && begin != t.status {
		t.status = strings.Clone(begin)
		t.add(Event{Type: EventStatus, Status: status})
	}
}

// delta returns the event of a plain delta, or false if it belongs to a block that
// has to wait for another.
func (t *turn) delta(d delta) (Event, bool) {
	t.seen = true
	t.ending.goOn()
	if d.typ == reasoningDelta {
		return Event{Type: EventThinkingDelta, Delta: d.text}, t.reasoning.isFirst(d.block)
	}
	if !t.text.isFirst(d.block) {
		return Event{}, false
	}
	t.spoke = true
	return Event{Type: EventTextDelta, Delta: d.text}, true
}

func (t *turn) start(f fields) {
	t.ending.begin()
	t.completeMessage()
	if t.steps == 0 {
		t.tell("started")
	}
	t.metadata(f)
}

func (t *turn) metadata(f fields) { t.search(FunctionFromMetadata, "", f["messageMetadata"]) }

func (t *turn) startStep() {
	t.ending.begin()
	t.completeMessage()
	t.steps++
	t.tell(fmt.Sprint("step ", t.steps))
}

// completeMessage adds a message_complete if text came: the next text begins a new
// message. The agent's answer is its last message.
func (t *turn) completeMessage() {
	t.reasoning.release(t)
	t.text.release(t)
	if t.spoke {
		t.spoke = false
		t.add(Event{Type: EventMessageComplete, Role: "assistant"})
	}
}

// resetStep drops the text of a step that is tried again. The empty delta begins the
// message that replaces it.
func (t *turn) resetStep() {
	t.reasoning.drop()
	t.text.drop()
	if t.spoke {
		t.completeMessage()
		t.add(Event{Type: EventTextDelta})
	}
	t.tell(fmt.Sprintf("step %d is tried again", max(t.steps, 1)))
}

// toolCall is a call of a tool. Some models reuse its ID for a later call.
type toolCall struct {
	name string
	over bool // it has a result
}

// callID returns the ID of a chunk's call, as far as it is kept.
func callID(f fields) string { return text.Prefix(f.text("toolCallId"), maxLabel) }

// startTool adds a tool_start, once for each call.
func (t *turn) startTool(f fields) {
	id := callID(f)
	if call, known := t.tools[id]; known && !call.over {
		return
	}
	t.ending.goOn()
	name := cmp.Or(f.text("title"), f.text("toolName"))
	t.add(Event{Type: EventToolStart, Name: name})
	if id == "" {
		return
	}
	if t.tools == nil {
		t.tools = make(map[string]toolCall)
	}
	for old := range t.tools {
		if len(t.tools) < maxTools {
			break
		}
		delete(t.tools, old)
	}
	t.tools[strings.Clone(id)] = toolCall{name: strings.Clone(text.Prefix(name, maxLabel))}
}

// endTool adds a tool_result. A call that failed or was denied has one too, and
// the build goes on.
func (t *turn) endTool(f fields) {
	t.ending.goOn()
	t.add(Event{Type: EventToolResult})
	if call, known := t.tools[callID(f)]; known {
		call.over = true
		t.tools[strings.Clone(callID(f))] = call
	}
}

// toolOutput adds a tool_result, and the events for what its output names. A later
// output replaces a preliminary one, so that is searched for a viewer only.
func (t *turn) toolOutput(f fields) {
	if !f["preliminary"].Bool() {
		t.endTool(f)
		t.search(FunctionFromTool, "", f["output"])
	} else if len(f["output"].Raw) <= maxSearch {
		t.addViewer(searchPayload(t.client.links(), "", f["output"]).viewerURL)
	}
}

// askApproval adds a status for an approval that the build waits for. Only the
// thread's page can give it, because Notte has no public call for that.
func (t *turn) askApproval(f fields) {
	if f["isAutomatic"].Bool() {
		return
	}
	of, thread := "", "the thread"
	if name := t.tools[callID(f)].name; name != "" {
		of = " of " + name
	}
	if t.threadID != "" {
		thread += " " + t.threadID
	}
	t.tell("waits for an approval" + of + ", which can only be given on the page of " + thread + " in Notte's app")
}

func (t *turn) answerApproval(f fields) {
	if f["approved"].Bool() {
		t.tell("the approval was given")
	} else {
		t.tell("the approval was refused")
	}
}

// data reads a chunk "data-NAME": what it reports of the build, and a status. If the
// chunk has neither, its name is the status.
func (t *turn) data(name string, data gjson.Result) {
	known := t.search(FunctionFromData, name, data)
	f := fieldsOf(data)
	if data.Type == gjson.String {
		f = fields{name: data} // data-status may have the status itself
	}
	status := cmp.Or(f.string("status"), f.string("state"), f.string("phase"), f.string("message"))
	if status == "" && !known {
		status = strings.Clone(text.Prefix(name, maxTypeName))
	}
	t.tell(status)
}
