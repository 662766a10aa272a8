// A real host plays a whole turn with a stand-in for its model's API: it is set up
// by "anything-mcp install", connects, offers our tools to the model, calls one,
// gets progress, and hands the result to the model.
//
//   node host.js HOST
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { hosts } from "../lib/hosts.js";
import { serveModel } from "../lib/model.js";
import { binary, flags, serveHTTP } from "../lib/server.js";
import { toolNames } from "../lib/story.js";

const name = process.argv[2];
const host = hosts[name];
const home = process.env.HOME;
const file = join(home, host.file);
if (spawnSync(host.list[0], ["--version"]).error) {
  console.log(`${name} is not to be had for this machine`);
  process.exit(3);
}
const model = await serveModel("build_automation", { query: "fetch posts" });
const env = { ...process.env, ...host.env(model.url) };

// run runs a command and returns what it prints.
async function run([command, ...args]) {
  const running = promisify(execFile)(command, args, { env, maxBuffer: 1 << 26 });
  running.child.stdin.end();
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

// wire returns the messages that went one way.
const wire = (way) => readFileSync(join(home, way), "utf8").trim().split("\n").map((line) => JSON.parse(line));

// tap puts a program in the place of the binary that notes what goes over the wire.
function tap() {
  const program = join(home, "tap");
  writeFileSync(program, `#!/bin/sh\ntee -a '${home}/sent' | '${binary}' "$@" | tee -a '${home}/received'\n`);
  chmodSync(program, 0o755);
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(binary, program));
}

// checkProgress checks that progress came before the result, and none after it.
function checkProgress() {
  const call = wire("sent").find((message) => message.method === "tools/call");
  const received = wire("received");
  const result = received.findIndex((message) => message.id === call.id && message.result);
  const token = call.params._meta?.progressToken;
  assert.equal(token !== undefined, host.progress, "whether the host asks for progress");
  const at = received.flatMap((m, i) => (m.method === "notifications/progress" && m.params.progressToken === token ? [i] : []));
  if (host.progress) assert.ok(at.length >= 3, `there were ${at.length} progress notifications`);
  assert.ok(at.every((i) => i < result), "progress came after the result");
}

if (host.user) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, host.user(model.url));
}
execFileSync(binary, ["install", name, ...flags], { stdio: "inherit" });
assert.match(await run(host.list), host.listed);

tap();
const output = await run(host.turn());
const offered = [...model.tools].filter((tool) => toolNames.some((name) => tool.endsWith(name)));
assert.equal(offered.length > 0 && (host.search || offered.length === toolNames.length), true, `the model was offered ${offered}\n${output}`);
const read = model.results.join("\n").replaceAll("\\", "");
assert.match(read, /"status":"done".*"function_id":"[0-9a-f-]{36}"/, output);
checkProgress();

execFileSync(binary, ["uninstall", name], { stdio: "inherit" });
assert.doesNotMatch(readFileSync(file, "utf8"), /anything/);

const server = await serveHTTP();
execFileSync(binary, ["install", name, "--http", server.url], { stdio: "inherit" });
assert.match(await run(host.list), host.listed);
await server.close();
model.close();
process.exit();
