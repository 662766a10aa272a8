// The Inspector's command line, over stdio and Streamable HTTP, in both eras.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { serveHTTP, stdio } from "../lib/server.js";
import { content, toolNames } from "../lib/story.js";

// inspect runs the Inspector and returns its exit code, and the JSON that it prints.
function inspect(target, era, ...args) {
  const all = ["--cli", "--quiet", "--format", "json", "--protocol-era", era, ...args, ...target];
  const { status, stdout, stderr } = spawnSync("mcp-inspector", all, { encoding: "utf8" });
  return { status, stderr, result: stdout && JSON.parse(stdout).result };
}

const server = await serveHTTP();
for (const target of [[stdio.command, ...stdio.args], [server.url]]) {
  for (const era of ["legacy", "modern"]) {
    const listed = inspect(target, era, "--strict", "--method", "tools/list");
    assert.equal(listed.status, 0, listed.stderr);
    assert.deepEqual(listed.result.tools.map((tool) => tool.name), toolNames);

    const call = (name, args) => inspect(target, era, "--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(args));
    const build = content(call("build_automation", { query: `fetch posts about ${target[0]} ${era}` }).result);
    assert.equal(build.status, "done");
    assert.equal(content(call("run_function", { function_id: build.function_id }).result).ok, true);
    const refused = call("build_automation", { query: "" });
    assert.equal(refused.status, 5, "the Inspector's exit code for a tool's error");
  }
}
await server.close();
