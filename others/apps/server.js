// The real server on the sandbox, with a client of an official SDK that shows apps.
import assert from "node:assert/strict";
import { serveHTTP } from "../lib/server.js";

const capabilities = { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } } };

// connect returns a client: of the SDK v2 in the modern era, or of the SDK v1.
async function connect(version, url) {
  const info = { name: "others", version: "1" };
  if (version === "1") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    const client = new Client(info, { capabilities });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return client;
  }
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client(info, { capabilities, versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

// serveReal starts the server. Its call is how a model calls a tool.
export async function serveReal(version, ...more) {
  const server = await serveHTTP({}, ...more);
  const client = await connect(version, server.url);
  const faults = [];
  client.onerror = (err) => faults.push(String(err));
  return {
    ...server,
    client,
    call: (name, args) => client.callTool({ name, arguments: args }),
    async close() {
      assert.deepEqual(faults, [], "the SDK found faults in what the server sent");
      await client.close();
      await server.close();
    },
  };
}

// page returns the page as a host gets it: from the tool's metadata to the resource.
export async function page({ client }) {
  const { tools } = await client.listTools();
  const uri = tools.find((tool) => tool.name === "build_automation")._meta.ui.resourceUri;
  assert.deepEqual(tools.find((tool) => tool.name === "follow_job")._meta.ui.visibility, ["app"]);
  const { contents: [content] } = await client.readResource({ uri });
  assert.equal(content.mimeType, "text/html;profile=mcp-app");
  assert.ok(content.text.length <= 40 << 10, `the page has ${content.text.length} bytes`);
  return content.text;
}
