// Writes aiN.txtar for the versions 5, 6 and 7 of the AI SDK: streams that the
// SDK itself made, and what its own reader reads from them. The Go test
// TestStreamsOfTheAISDK reads the same streams and compares.
//
//	npm ci && npm run streams
//
// The output is committed. It changes only if a version in package.json does.
import { writeFileSync } from "node:fs";
import { z } from "zod";

const functionID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

// versions are the SDK's, with what differs between them.
const versions = {
  5: { mock: "MockLanguageModelV2", usage: { inputTokens: 3, outputTokens: 9, totalTokens: 12 }, reason: (r) => r },
  6: { mock: "MockLanguageModelV3", usage: usageOfV3(), reason: (r) => ({ unified: r, raw: r }) },
  7: { mock: "MockLanguageModelV4", usage: usageOfV3(), reason: (r) => ({ unified: r, raw: r }) },
};

function usageOfV3() {
  return {
    inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 9, text: 9, reasoning: 0 },
  };
}

// model returns a language model that answers its calls with these parts, one
// list a call.
function model(test, version, calls) {
  let n = 0;
  const { mock, usage, reason } = versions[version];
  return new test[mock]({
    doStream: async () => ({
      stream: test.convertArrayToReadableStream([
        { type: "stream-start", warnings: [] },
        ...calls[n++].map((part) =>
          part.type === "finish" ? { ...part, usage, finishReason: reason(part.finishReason) } : part,
        ),
      ]),
    }),
  });
}

const text = (id, ...deltas) => [
  { type: "text-start", id },
  ...deltas.map((delta) => ({ type: "text-delta", id, delta })),
  { type: "text-end", id },
];
const reasoning = (id, ...deltas) => text(id, ...deltas).map((p) => ({ ...p, type: p.type.replace("text", "reasoning") }));
const finish = (finishReason) => ({ type: "finish", finishReason });

// agent is a build: two steps, the first of which uploads a function with a tool.
function agent(ai, test, version, { execute, last = [], tool = {}, ...options }) {
  return ai.streamText({
    model: model(test, version, [
      [
        ...reasoning("r1", "The page ", "lists \"posts\"."),
        ...text("t1", "I will ", "upload."),
        { type: "tool-input-start", id: "c1", toolName: "upload" },
        { type: "tool-input-delta", id: "c1", delta: '{"name":' },
        { type: "tool-input-delta", id: "c1", delta: '"top"}' },
        { type: "tool-input-end", id: "c1" },
        { type: "tool-call", toolCallId: "c1", toolName: "upload", input: '{"name":"top"}' },
        finish("tool-calls"),
      ],
      last,
    ]),
    tools: { upload: ai.tool({ description: "uploads", inputSchema: z.object({ name: z.string() }), execute, ...tool }) },
    stopWhen: (ai.stepCountIs ?? ai.isStepCount)(5),
    _internal: { generateId }, // of approvals
    prompt: "fetch the top posts",
    onError: () => {},
    ...options,
  });
}

const uploaded = async () => ({ content: [{ type: "text", text: JSON.stringify({ function_id: functionID, name: "top" }) }] });
const generateId = () => "m1";
const onError = (error) => String(error?.message ?? error);

// streams are the scenarios. Each returns a UI message stream.
const streams = {
  agent: (ai, test, version) =>
    agent(ai, test, version, { execute: uploaded, last: [...text("t2", "Done:\n", "the function ", "is ready."), finish("stop")] })
      .toUIMessageStream({
        generateMessageId: () => "m1",
        onError,
        messageMetadata: ({ part }) => (part.type === "finish" ? { total_cost_usd: 0.4 } : undefined),
      }),
  "tool fails": (ai, test, version) =>
    agent(ai, test, version, {
      execute: async () => { throw new Error("no luck"); },
      last: [...text("t2", "It failed."), finish("length")],
    }).toUIMessageStream({ onError }),
  "preliminary outputs": (ai, test, version) =>
    agent(ai, test, version, {
      execute: async function* () {
        yield { function_id: "not-this-one" };
        yield { function_id: functionID };
      },
      last: [...text("t2", "Done."), finish("stop")],
    }).toUIMessageStream({ onError }),
  "model fails": (ai, test, version) =>
    ai.streamText({
      model: model(test, version, [[...text("t1", "I will "), { type: "error", error: new Error("overloaded") }, finish("error")]]),
      prompt: "q",
      onError: () => {},
    }).toUIMessageStream({ onError }),
  data: (ai) =>
    ai.createUIMessageStream({
      generateId,
      execute: ({ writer }) => {
        writer.write({ type: "start", messageId: "m1" });
        writer.write({ type: "data-status", data: { status: "installing" }, transient: true });
        writer.write({ type: "data-session", data: { viewer_url: "https://viewer.notte.cc/?token=x" }, transient: true });
        writer.write({ type: "data-function", id: "f", data: { id: functionID, name: "top" } });
        for (const part of text("t1", "Done.")) writer.write(part);
        writer.write({ type: "message-metadata", messageMetadata: { totalCostUsd: "0.25" } });
        writer.write({ type: "finish" });
      },
    }),
  interleaved: (ai) =>
    ai.createUIMessageStream({
      generateId,
      execute: ({ writer }) => {
        const [start1, a, b, end1] = text("t1", "one ", "two ");
        const [start2, c, d, end2] = text("t2", "three ", "four");
        for (const part of [{ type: "start" }, { type: "start-step" }, start1, start2, c, a, d, b, end2, end1, { type: "finish-step" }]) {
          writer.write(part);
        }
      },
    }),
  merged: (ai, test, version) =>
    ai.createUIMessageStream({
      generateId,
      execute: async ({ writer }) => {
        const inner = (id, words) =>
          ai.streamText({ model: model(test, version, [[...text(id, ...words), finish("stop")]]), prompt: "q" });
        const first = inner("t1", ["first"]);
        writer.merge(first.toUIMessageStream({ sendFinish: false }));
        await first.consumeStream();
        writer.merge(inner("t1", ["second", " time"]).toUIMessageStream({ sendStart: false }));
      },
    }),
  throws: (ai) =>
    ai.createUIMessageStream({
      generateId,
      execute: ({ writer }) => {
        writer.write({ type: "start" });
        throw new Error("The agent timed out after 600 s");
      },
      onError,
    }),
  abort: (ai, test, version) => {
    const stop = new AbortController();
    return agent(ai, test, version, {
      execute: async () => { stop.abort("stopped by the user"); return {}; },
      last: [...text("t2", "never"), finish("stop")],
      abortSignal: stop.signal,
    }).toUIMessageStream({ onError });
  },
};

// since6 and since7 are scenarios with chunks that earlier versions have not.
const since6 = {
  approval: (ai, test, version) =>
    agent(ai, test, version, { execute: uploaded, tool: { needsApproval: true } }).toUIMessageStream({ onError }),
};

const since7 = {
  "step again": (ai) =>
    ai.createUIMessageStream({
      generateId,
      execute: ({ writer }) => {
        writer.write({ type: "start" });
        writer.write({ type: "start-step" });
        for (const part of text("t1", "A draft")) writer.write(part);
        writer.write({ type: "reset-step" });
        for (const part of text("t1", "The answer")) writer.write(part);
        writer.write({ type: "custom", kind: "notte.thing" });
        writer.write({ type: "finish-step" });
        writer.write({ type: "finish", finishReason: "stop" });
      },
    }),
  "kept alive": (ai) =>
    ai.createUIMessageStream({
      generateId,
      execute: async ({ writer }) => {
        for (const part of text("t1", "Slow.")) {
          writer.write(part);
          await new Promise((done) => setTimeout(done, 30));
        }
        writer.write({ type: "finish", finishReason: "stop" });
      },
    }),
};

// read returns what the SDK's own reader reads from a stream of chunks.
async function read(ai, chunks) {
  const told = { text: "", reasoning: "", tools: [], data: [], metadata: null, error: null };
  let message = { parts: [] };
  const stream = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const generateId = () => "m1";
const onError = (error) => { told.error ??= error.message; };
  for await (message of ai.readUIMessageStream({ stream, onError })) { /* the last one has all */ }
  for (const part of message.parts) {
    if (part.type === "step-start") told.text = ""; // the answer is the text of the last step
    if (part.type === "text") told.text += part.text;
    if (part.type === "reasoning") told.reasoning += part.text;
    if (part.toolCallId) told.tools.push(part.toolName ?? part.type.replace("tool-", ""));
    if (part.type.startsWith("data-")) told.data.push(part.type);
  }
  told.metadata = message.metadata ?? null;
  return told;
}

for (const version of Object.keys(versions)) {
  const ai = await import(`ai${version}`);
  const test = await import(`ai${version}/test`);
  let archive = `Streams of version ${version} of the AI SDK, made by streams.mjs.\n`;
  for (const [name, make] of Object.entries({ ...streams, ...(version >= "6" ? since6 : {}), ...(version >= "7" ? since7 : {}) })) {
    const [stream, copy] = make(ai, test, version).tee();
    const chunks = [];
    const collect = (async () => { for await (const chunk of copy) chunks.push(chunk); })();
    const response = ai.createUIMessageStreamResponse({ stream, ...(name === "kept alive" ? { keepAliveMs: 10 } : {}) });
    let body = await response.text();
    await collect;
    if (name === "kept alive") body = body.replace(/(: keep-alive\n\n)+/g, "$1"); // as many as time had it
    archive += `-- ${name}: stream --\n${body}-- ${name}: read --\n${JSON.stringify(await read(ai, chunks), null, 2)}\n`;
  }
  writeFileSync(new URL(`ai${version}.txtar`, import.meta.url), archive);
}
