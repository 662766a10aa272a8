// Connects the TypeScript SDK v1 and returns a client for lib/story.js.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";

// clientFor returns a client for lib/story.js that calls tools by callTool.
export function clientFor(client, callTool) {
  const { transport } = client;
  const received = [];
  const errors = [];
  const handle = transport.onmessage;
  transport.onmessage = (message, ...rest) => {
    received.push(message);
    handle(message, ...rest);
  };
  client.onerror = (err) => {
    // Where one read brings progress and the result, the SDKs handle the result
    // first, and then report progress that came in time. The story looks at the
    // order in received instead.
    if (!/progress notification for an unknown token/.test(err)) errors.push(String(err));
  };
  return {
    received,
    errors,
    list: async () => (await client.listTools()).tools,
    call: (name, args, options) => callTool({ name, arguments: args }, options),
    close: () => client.close(),
  };
}

export async function connect(transport) {
  const client = new Client({ name: "others", version: "1" });
  await client.connect(transport);
  return clientFor(client, (params, options) => client.callTool(params, undefined, options));
}
