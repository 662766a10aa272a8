// What a program that uses one of the official SDKs does with our tools. The
// SDKs check the messages, and structured content against the output schemas.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// toolNames are the names in the snapshot of what models read.
const snapshot = new URL("../../tools/testdata/tools.json", import.meta.url);
export const toolNames = JSON.parse(readFileSync(snapshot)).map((tool) => tool.name);

// tell plays the story. Each story needs a topic of its own, because a build that
// has just ended is returned to a caller that asks for the same. client has list(), which returns the tools; call(name,
// args, options), which takes onprogress and signal; received, which has the messages
// that have come; and errors, which has what the SDK reports.
export async function tell(topic, client) {
  await lists(client);
  const built = await builds(client, `fetch the top 3 posts about ${topic}`);
  await waits(client, built);
  await runs(client, built.function_id);
  await batches(client, built.function_id);
  await pins(client);
  await leaves(client, `follow news of ${topic} [sandbox:slow]`);
  await fails(client, `fetch ${topic} [sandbox:error]`);
  assert.deepEqual(client.errors, [], "the SDK found faults in what the server sent");
}

async function lists(client) {
  const tools = await client.list();
  assert.deepEqual(tools.map((tool) => tool.name), toolNames);
  for (const tool of tools) assert.ok(tool.outputSchema, `${tool.name} has no output schema`);
}

// builds builds an automation and checks that progress rises and ends with the
// result.
async function builds(client, query) {
  const before = client.received.length;
  let seen = 0;
  const result = await client.call("build_automation", { query }, { onprogress: () => seen++ });
  assert.ok(seen > 0, "the SDK has handed on no progress");
  await sleep(300);
  const received = client.received.slice(before);
  const progress = received.filter((message) => message.method === "notifications/progress").map((message) => message.params);
  assert.ok(progress.length >= 3, `there were ${progress.length} progress notifications`);
  for (const [i, p] of progress.entries()) {
    assert.ok(p.message, "progress has no message");
    assert.ok(i === 0 || p.progress > progress[i - 1].progress, "progress does not rise");
  }
  assert.ok(received.at(-1).result, "progress came after the result");
  const built = content(result);
  assert.equal(built.status, "done");
  assert.ok(built.function_id && built.total_cost_usd > 0, "the build has no function or no cost");
  return built;
}

async function waits(client, built) {
  const again = content(await client.call("get_build", { build_id: built.build_id }));
  assert.equal(again.function_id, built.function_id);
  const { builds } = content(await client.call("list_builds", {}));
  assert.ok(builds.some((b) => b.build_id === built.build_id), "list_builds lacks the build");
}

async function runs(client, id) {
  const run = content(await client.call("run_function", { function_id: id }));
  assert.equal(run.status, "closed");
  assert.equal(run.ok, true);
}

// batches runs a function over a list, and finds the batch again with the tools for runs.
async function batches(client, function_id) {
  let total;
  const batch = content(await client.call("run_batch", { function_id, items: ['{"count":1}', { count: 2 }] }, { onprogress: (p) => (total = p.total) }));
  assert.equal(batch.status, "closed");
  assert.equal(batch.succeeded, 2);
  assert.equal(total, 2, "the progress of a batch has no total");
  const rest = content(await client.call("get_run", { run_id: batch.batch_id, offset: 1 }));
  assert.deepEqual(rest.results, batch.results.slice(1));
  assert.equal(content(await client.call("cancel_run", { run_id: batch.batch_id })).status, "closed");
}

// pins makes tools of functions, calls each with values of its types, and takes them
// away.
async function pins(client) {
  const { functions } = content(await client.call("find_functions", { limit: 8 }));
  const names = new Map();
  for (const { function_id } of functions) {
    const { pinned_as } = content(await client.call("pin_function", { function_id }));
    names.set(pinned_as, function_id);
  }
  const values = { string: "x", integer: 1, number: 1.5, boolean: true, array: ["x"] };
  const tools = await client.list();
  for (const [name, id] of names) {
    const { inputSchema, outputSchema } = tools.find((tool) => tool.name === name);
    assert.ok(outputSchema, `${name} has no output schema`);
    const given = (inputSchema.required ?? []).map((argument) => {
      const { type, enum: choices } = inputSchema.properties[argument];
      return [argument, choices?.[0] ?? values[type]];
    });
    const result = await client.call(name, Object.fromEntries(given));
    const run = content(result, { failed: result.isError ?? false });
    assert.equal(run.function_id, id, `${name} ran another function`);
    content(await client.call("pin_function", { function_id: name, pinned: false }));
  }
  assert.deepEqual((await client.list()).map((tool) => tool.name), toolNames);
}

// leaves cancels a call. The build goes on until cancel_build ends it.
async function leaves(client, query) {
  const gone = new AbortController();
  const call = client.call("build_automation", { query, wait_seconds: 60 }, { signal: gone.signal, onprogress: () => gone.abort("enough") });
  await assert.rejects(call, "a cancelled call was answered");
  const joined = content(await client.call("build_automation", { query, wait_seconds: 0 }));
  assert.equal(joined.status, "running");
  assert.equal(joined.joined, true);
  content(await client.call("cancel_build", { build_id: joined.build_id }));
  const ended = content(await client.call("get_build", { build_id: joined.build_id, wait_seconds: 10 }), { failed: true });
  assert.equal(ended.status, "cancelled");
}

async function fails(client, query) {
  const failed = content(await client.call("build_automation", { query }), { failed: true });
  assert.equal(failed.status, "error");
  const bad = [
    ["build_automation", {}, /^query .*\.$/],
    ["build_automation", { query: 7 }, /^query .*\.$/],
    ["get_build", { build_id: "none" }, /build_id.*\.$/],
  ];
  for (const [name, args, sentence] of bad) {
    const refused = await client.call(name, args);
    assert.equal(refused.isError, true, `${name} took ${JSON.stringify(args)}`);
    assert.match(refused.content[0].text, sentence);
  }
  await assert.rejects(client.call("no_such_tool", {}), { code: -32602 });
}

// content returns the structured content of a result, which is also its text.
export function content(result, { failed = false } = {}) {
  assert.equal(result.isError ?? false, failed, result.content?.[0]?.text);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}
