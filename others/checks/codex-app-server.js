// Codex without an account: its app server starts our server, lists its tools and
// calls them.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { binary, flags } from "../lib/server.js";
import { content, toolNames } from "../lib/story.js";

execFileSync(binary, ["install", "codex", ...flags], { stdio: "inherit" });
const codex = spawn("codex", ["app-server"], { stdio: ["pipe", "pipe", "inherit"] });
const send = (message) => codex.stdin.write(`${JSON.stringify(message)}\n`);
const waiting = new Map();
createInterface(codex.stdout).on("line", (line) => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});

async function ask(method, params) {
  const id = waiting.size;
  const answer = new Promise((resolve) => waiting.set(id, resolve));
  send({ id, method, params });
  const { result, error } = await answer;
  assert.equal(error, undefined, method);
  return result;
}

await ask("initialize", { clientInfo: { name: "others", title: "others", version: "1" } });
send({ method: "initialized" });
const { thread } = await ask("thread/start", {});
const { data } = await ask("mcpServerStatus/list", {});
assert.deepEqual(Object.keys(data.find((server) => server.name === "anything").tools).sort(), toolNames);
const call = (tool, args) => ask("mcpServer/tool/call", { threadId: thread.id, server: "anything", tool, arguments: args });
const build = content(await call("build_automation", { query: "fetch posts" }));
assert.equal(content(await call("run_function", { function_id: build.function_id })).ok, true);
const refused = await call("get_build", { build_id: "none" });
assert.equal(refused.isError, true);
codex.kill();
process.exit();
