// How the APIs of models say what hosts and models tell each other: Anthropic's,
// Google's, and OpenAI's two.

const text = "All done.";

// dialects know where each API has the tools on offer, the calls so far and their
// results, and how it answers.
export const dialects = [
  {
    path: /^\/v1\/messages/,
    tools: (body) => (body.tools ?? []).map((tool) => tool.name),
    called: (body) => parts(body.messages).filter((part) => part.type === "tool_use").map((part) => part.name),
    results: (body) => parts(body.messages).filter((part) => part.type === "tool_result").map((part) => part.content),
    answer: (call, body) => anthropic(call, body.model),
  },
  {
    path: /:(streamG|g)enerateContent/,
    tools: (body) => (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []).map((tool) => tool.name),
    called: (body) => pieces(body).filter((part) => part.functionCall).map((part) => part.functionCall.name),
    results: (body) => pieces(body).filter((part) => part.functionResponse).map((part) => part.functionResponse.response),
    answer: google,
  },
  {
    path: /\/chat\/completions/,
    tools: (body) => (body.tools ?? []).map((tool) => tool.function.name),
    called: (body) => body.messages.flatMap((message) => message.tool_calls ?? []).map((call) => call.function.name),
    results: (body) => body.messages.filter((message) => message.role === "tool").map((message) => message.content),
    answer: openAI,
  },
  {
    path: /\/responses/,
    tools: (body) => body.tools.flatMap((tool) => (tool.type === "namespace" ? tool.tools.map((t) => `${tool.name}.${t.name}`) : (tool.name ?? []))),
    called: (body) => body.input.filter((item) => item.type === "function_call").map((item) => item.name),
    results: (body) => body.input.filter((item) => item.type === "function_call_output").map((item) => item.output),
    answer: responses,
  },
];

// parts are the parts of Anthropic's messages, and pieces those of Google's.
const parts = (messages) => messages.flatMap((message) => (Array.isArray(message.content) ? message.content : []));
const pieces = (body) => body.contents.flatMap((content) => content.parts);

let calls = 0;

function anthropic(call, model) {
  const block = call ? { type: "tool_use", id: `toolu_${++calls}`, name: call.name, input: {} } : { type: "text", text: "" };
  const delta = call ? { type: "input_json_delta", partial_json: JSON.stringify(call.args) } : { type: "text_delta", text };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage };
  const events = [
    { type: "message_start", message },
    { type: "content_block_start", index: 0, content_block: block },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: call ? "tool_use" : "end_turn", stop_sequence: null }, usage },
    { type: "message_stop" },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

function google(call) {
  const part = call ? { functionCall: { name: call.name, args: call.args } } : { text };
  const candidates = [{ content: { role: "model", parts: [part] }, finishReason: "STOP", index: 0 }];
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 };
  return `data: ${JSON.stringify({ candidates, usageMetadata })}\n\n`;
}

function openAI(call) {
  const used = call && [{ index: 0, id: `call_${++calls}`, type: "function", function: { name: call.name, arguments: JSON.stringify(call.args) } }];
  const chunk = (delta, reason) => ({
    id: "chat_1",
    object: "chat.completion.chunk",
    created: 1,
    model: "stand-in",
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const delta = { role: "assistant", ...(call ? { tool_calls: used } : { content: text }) };
  const chunks = [chunk(delta, null), chunk({}, call ? "tool_calls" : "stop")];
  return chunks.map((c) => `data: ${JSON.stringify(c)}\n\n`).join("") + "data: [DONE]\n\n";
}

function responses(call) {
  const [name, namespace] = call?.name.split(".").reverse() ?? [];
  const item = call
    ? { type: "function_call", id: `fc_${++calls}`, call_id: `call_${calls}`, namespace, name, arguments: JSON.stringify(call.args) }
    : { type: "message", id: "msg_1", role: "assistant", content: [{ type: "output_text", text }] };
  const usage = { input_tokens: 1, input_tokens_details: null, output_tokens: 1, output_tokens_details: null, total_tokens: 2 };
  const events = [
    { type: "response.created", response: { id: "resp_1" } },
    { type: "response.output_item.done", item },
    { type: "response.completed", response: { id: "resp_1", usage } },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}
