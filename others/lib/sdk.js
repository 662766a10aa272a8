// Connects the TypeScript SDK v1 and returns a client for lib/story.js.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";

export async function connect(transport) {
  const client = new Client({ name: "others", version: "1" });
  const errors = [];
  client.onerror = (err) => errors.push(String(err));
  await client.connect(transport);
  return {
    errors,
    list: async () => (await client.listTools()).tools,
    call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
    close: () => client.close(),
  };
}
