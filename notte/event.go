package notte

// EventType is the type of an [Event]. A type that is not listed here is passed on
// as it came, cut to 128 bytes, because Notte may add types. Callers should ignore
// types that they do not know.
type EventType string

// The events of a build, named as in v1 of the Anything API. The chunks of v2 become
// the same events.
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

// The events of a build that this package adds.
const (
	// EventThread names the thread of the build. It is the first event of an
	// answer that names one before its stream, as v2 does. Where a proxy dropped
	// the header, it comes as soon as the stream itself names the thread, if it
	// ever does.
	EventThread EventType = "thread"

	// EventDetached ends the stream of a build that goes on at Notte without
	// this client: see [BuildRequest].
	EventDetached EventType = "detached"
)

// Where a v2 stream named a function: see [Event].
const (
	FunctionFromData     = "data"     // in a chunk "data-*"
	FunctionFromMetadata = "metadata" // in the metadata of the message
	FunctionFromTool     = "tool"     // in the output of a tool, which may quote a web page
)

// The events of a run, as the Functions API streams them.
const (
	EventLog          EventType = "log"
	EventSessionStart EventType = "session_start"
	EventResult       EventType = "result"
)

// Event is one event of a build's or a run's stream. Only the fields of its
// type are set. A field of an unexpected JSON type is converted if possible (a
// cost may be a string) and left empty otherwise. Strings are as Notte sent them,
// without the API key. They are untrusted, because they may come from web pages,
// and up to 16 MiB long.
//
// The JSON names of the fields are Notte's own. Size and Result are not part of
// an Event's JSON.
type Event struct {
	Type EventType `json:"type"`

	Status       string   `json:"status,omitempty"`         // status
	Delta        string   `json:"delta,omitempty"`          // thinking_delta, text_delta
	Name         string   `json:"name,omitempty"`           // tool_start: the tool's name
	Role         string   `json:"role,omitempty"`           // message_complete
	ViewerURL    string   `json:"viewer_url,omitempty"`     // notte_session_data: a secret, because it carries a token; for the user only
	FunctionID   string   `json:"function_id,omitempty"`    // function_uploaded; done of v1, which may lack it
	FunctionName string   `json:"function_name,omitempty"`  // function_uploaded
	CreatedAt    string   `json:"created_at,omitempty"`     // function_uploaded
	TotalCostUSD *float64 `json:"total_cost_usd,omitempty"` // done; error, timeout, cancelled of v2: US dollars, nil if Notte did not say
	ThreadID     string   `json:"thread_id,omitempty"`      // thread, detached, done; error, timeout, cancelled of v2: empty if Notte did not say
	Error        string   `json:"error,omitempty"`          // error
	Detail       string   `json:"detail,omitempty"`         // error, timeout
	Reason       string   `json:"reason,omitempty"`         // timeout, cancelled
	Message      string   `json:"message,omitempty"`        // log, session_start: the session's ID

	// ThreadURL is the page of the thread for a browser, as Notte told it: of
	// at most 2 KiB, https, or http on a loopback host or the API's own. It is
	// set on thread and detached, and empty if Notte did not say.
	ThreadURL string `json:"thread_url,omitempty"`

	// FunctionFrom says where a v2 stream named the function of a
	// function_uploaded: one of the FunctionFrom constants. No place proves
	// that the function is the build's. Each find comes as an event of its
	// own, and whoever uses one must confirm it first, see [Client.GetFunction].
	// It is empty in v1, which names only the function that the build made.
	FunctionFrom string `json:"function_from,omitempty"`

	// FunctionVersion is the version of the function of a function_uploaded. It
	// is empty if Notte did not say, as in v1.
	FunctionVersion string `json:"function_version,omitempty"`

	// FunctionUpdated says that the function of a function_uploaded was there before
	// the build, which has changed it. Notte does not tell it: callers who know may
	// set it.
	FunctionUpdated bool `json:"function_updated,omitempty"`

	// Warning says, in a clause for a reader, what is doubtful about the done of
	// a v2 build. It is empty if nothing is.
	Warning string `json:"warning,omitempty"`

	Result *RunResult `json:"-"` // result: the outcome of a run, never nil in a run's stream

	// Size is the length of the event's JSON in bytes. The content of a
	// tool_result, which may be megabytes, is counted here and not kept.
	Size int `json:"-"`
}

// Terminal reports whether the event ends its stream.
func (e Event) Terminal() bool {
	switch e.Type {
	case EventDone, EventError, EventTimeout, EventCancelled, EventDetached:
		return true
	case EventResult:
		return e.Result != nil // nil in a build's stream, where this is an unknown type
	}
	return false
}
