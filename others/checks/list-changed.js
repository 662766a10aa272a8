// The TypeScript SDK v2 learns of a pinned function, over stdio and Streamable HTTP.
//
//   node list-changed.js
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { serveHTTP, stdio } from "../lib/server.js";

// connect returns a client, and a function that waits until the list of tools that the
// client was told of satisfies a condition.
async function connect(mode, transport) {
  let told = [];
  let wake = () => {};
  const onChanged = (err, tools) => {
    assert.ifError(err);
    told = tools.map((tool) => tool.name);
    wake();
  };
  const client = new Client({ name: "list-changed", version: "1" }, { versionNegotiation: { mode }, listChanged: { tools: { onChanged } } });
  await client.connect(transport);
  const until = async (condition) => {
    while (!condition(told)) await new Promise((resolve) => (wake = resolve));
  };
  return { client, until };
}

// check pins a function, calls it as a tool, and takes it away.
async function check({ client, until }, name) {
  const call = async (tool, args) => {
    const result = await client.callTool({ name: tool, arguments: args });
    assert(!result.isError, JSON.stringify(result));
    return result.structuredContent;
  };
  const { functions } = await call("find_functions", { query: "hacker news" });
  await call("pin_function", { function_id: functions[0].function_id, name });
  await until((tools) => tools.includes(name));
  await call(name, {});
  await call("pin_function", { function_id: name, pinned: false });
  await until((tools) => !tools.includes(name));
  await client.close();
}

for (const mode of ["legacy", { pin: "2026-07-28" }, "auto"]) {
  await check(await connect(mode, new StdioClientTransport({ ...stdio, env: process.env, stderr: "ignore" })), "top_posts");
  const server = await serveHTTP();
  await check(await connect(mode, new StreamableHTTPClientTransport(new URL(server.url))), "top_posts");
  await server.close();
}
