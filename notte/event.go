package notte

// EventType names what an [Event] tells. Unknown types are passed on as they
// came: Notte may add some, and a consumer ignores what it does not know.
type EventType string

// The events of a build, as the Anything API documents them.
const (
	EventStatus           EventType = "status"
	EventThinkingDelta    EventType = "thinking_delta"
	EventTextDelta        EventType = "text_delta"
	EventToolStart        EventType = "tool_start"
	EventToolResult       EventType = "tool_result"
	EventMessageComplete  EventType = "message_complete"
	EventSessionData      EventType = "notte_session_data"
	EventFunctionUploaded EventType = "function_uploaded"
	EventDone             EventType = "done"
	EventError            EventType = "error"
	EventTimeout          EventType = "timeout"
	EventCancelled        EventType = "cancelled"
)

// The events of a run, as the Functions API streams them.
const (
	EventLog          EventType = "log"
	EventSessionStart EventType = "session_start"
	EventResult       EventType = "result"
)

// Event is one event of a build's or a run's stream. Only the fields of its
// type are set; a field of an unexpected JSON type is read as far as it makes
// sense (a cost given as a string is a cost) and left empty otherwise. Strings
// are as Notte sent them: text from web pages, unbounded and untrusted.
type Event struct {
	Type EventType

	Status       string   // status
	Delta        string   // thinking_delta, text_delta
	Name         string   // tool_start: the tool's name
	Role         string   // message_complete
	ViewerURL    string   // notte_session_data: for the user's eyes, it carries a token
	FunctionID   string   // function_uploaded, done: may be missing from the latter
	FunctionName string   // function_uploaded
	CreatedAt    string   // function_uploaded
	TotalCostUSD *float64 // done: US dollars, nil when Notte did not say
	ThreadID     string   // done: metadata.thread_id
	Error        string   // error
	Detail       string   // error, timeout
	Reason       string   // timeout, cancelled
	Message      string   // log, session_start: the session's ID

	Result *RunResult // result: the outcome of a run, never nil in a run's stream

	// Size is the length of the event's JSON in bytes. The content of a
	// tool_result, which may be megabytes, is counted here and not kept.
	Size int
}

// Terminal reports whether the event ends its stream.
func (e Event) Terminal() bool {
	switch e.Type {
	case EventDone, EventError, EventTimeout, EventCancelled:
		return true
	case EventResult:
		return e.Result != nil // a build's stream has no results: there the type is an unknown one
	}
	return false
}
