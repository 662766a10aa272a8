// Package sandbox is a stand-in for Notte's Anything API and Functions API. It
// is one http.Handler that needs no account and spends no money.
//
// As a demo it answers any query with a believable build that is marked as
// simulated. As a test tool it is scriptable: [Server.Script],
// [Server.ScriptRun] and [Server.Fault] set the bytes of an answer,
// [Server.Requests] returns the requests that came in, and [Server.Client]
// reaches the Server over in-memory pipes, also inside a testing/synctest
// bubble.
//
// The package follows the documented contracts and imports no other package of
// this module, so that it checks their requests independently. Its routes:
//
//	POST   /api/anything/start                 build, as a stream
//	GET    /functions                          ?page, page_size, only_active
//	POST   /functions                          upload a source, as a form
//	GET    /functions/{id}                     ?version
//	POST   /functions/{id}                     ?version, upload a changed source
//	DELETE /functions/{id}
//	POST   /functions/{id}/fork
//	POST   /functions/{id}/schedule            shown only: nothing runs by itself
//	DELETE /functions/{id}/schedule
//	GET    /functions/{id}/runs                ?page, page_size, only_active
//	POST   /functions/{id}/runs/start          create and start a run
//	POST   /functions/{id}/runs/create         create a run
//	POST   /functions/{id}/runs/{run_id}       start a created run, once
//	GET    /functions/{id}/runs/{run_id}
//	PATCH  /functions/{id}/runs/{run_id}       set its status, result and logs
//	DELETE /functions/{id}/runs/{run_id}       stop a run
//	GET    /secrets                            ?namespace
//	POST   /secrets
//	GET    /secrets/{name}                     ?namespace
//	DELETE /secrets/{id}
//	GET    /health                             needs no key, like all below
//	GET    /threads/{thread}                   a thread's state, for a browser
//	GET    /viewer/{session}                   ?token, a live page for a browser
//	GET    /viewer/{session}/events            ?token, the events of that page
//
// # Contracts
//
// The Anything API has two contracts, and [WithAPI] chooses one. By [V1] a build
// is a stream of events that ends with its client. By [V2] it is a turn of a
// thread, streamed as the chunks of the AI SDK. A turn goes on without its
// client, a request with "detach": true needs none, and a request with
// "thread_id" changes the function of the thread. The thread takes one turn at a
// time. The chunks carry the function in a tool's output and in "data-function",
// the viewer's page in "data-session", and the cost in the metadata of "finish".
//
// [Chunk], [Done] and [Thread] script v2 streams, [Event] and [Raw] any stream.
//
// # Functions
//
// A run with a variable that its function does not take, or without one that it needs,
// ends as failed, in Notte's words. At most 10 runs are active at once. [WithRateLimit]
// limits the requests, [WithExamples] adds six functions, and [HostileFunctions]
// returns some whose texts attack their reader.
//
// # Endings on demand
//
// One of these words in a query changes how its build goes:
//
//	[sandbox:unavailable]  502 before the stream begins
//	[sandbox:error]        an error, before a function was uploaded
//	[sandbox:timeout]      a timeout (v2: an abort that says so), after the upload
//	[sandbox:cancelled]    cancelled (v2: an abort), after the upload
//	[sandbox:cut]          the stream ends after the upload without a terminal event
//	[sandbox:midchunk]     the same, inside an event
//	[sandbox:nofunction]   done without a function
//	[sandbox:broken]       done, but each run of the function ends in a traceback
//	[sandbox:slow]         twenty times as slow, about two minutes
//	[sandbox:lateerror]    v2: an error, then the function and a good end
//	[sandbox:nodone]       v2: no [DONE]
//	[sandbox:noheaders]    v2: no headers that tell the contract and the thread
package sandbox
