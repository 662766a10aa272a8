// The TypeScript SDK v2, over stdio and Streamable HTTP.
//
//   node sdk-v2.js legacy|modern
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { clientFor } from "../lib/sdk.js";
import { serveHTTP, stdio } from "../lib/server.js";
import { tell } from "../lib/story.js";

// modes are the ways to agree on a version for each era. "auto" starts a server
// over stdio twice.
const modes = { legacy: ["legacy"], modern: [{ pin: "2026-07-28" }, "auto"] };
const era = process.argv[2];

async function connect(mode, transport) {
  const client = new Client({ name: "sdk-v2", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  assert.equal(client.getProtocolEra(), era);
  return clientFor(client, (params, options) => client.callTool(params, options));
}

for (const mode of modes[era]) {
  const local = await connect(mode, new StdioClientTransport({ ...stdio, env: process.env, stderr: "ignore" }));
  await tell(`stdio, ${mode.pin ?? mode}`, local);
  await local.close();

  const server = await serveHTTP();
  const remote = await connect(mode, new StreamableHTTPClientTransport(new URL(server.url)));
  await tell(`HTTP, ${mode.pin ?? mode}`, remote);
  await remote.close();
  await server.close();
}
