// A stand-in on loopback for the APIs of models, so that hosts play whole turns
// without an account or a network. It calls one tool, and ends the turn when it has
// read the result.
import { createServer } from "node:http";
import { dialects } from "./dialects.js";

// serveModel starts the stand-in. It calls the tool whose name ends with tool. What
// hosts offer and hand back is in tools and results.
export async function serveModel(tool, args) {
  const seen = { tools: new Set(), results: [] };
  // next is the model's next call, if any. Claude Code may offer a search for tools
  // in the place of ours.
  const next = (offered, called) => {
    const name = offered.find((name) => name.endsWith(tool));
    if (called.some((name) => name.endsWith(tool))) return undefined;
    if (name) return { name, args };
    if (!offered.includes("ToolSearch") || called.includes("ToolSearch")) return undefined;
    return { name: "ToolSearch", args: { query: `+${tool}` } };
  };
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const dialect = dialects.find((d) => d.path.test(req.url));
    if (!dialect || req.method !== "POST" || /count_?tokens/i.test(req.url)) {
      res.writeHead(200, { "content-type": "application/json" }).end('{"input_tokens":1,"totalTokens":1,"data":[]}');
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks));
    for (const name of dialect.tools(body)) seen.tools.add(name);
    seen.results.push(...dialect.results(body).map((result) => JSON.stringify(result)));
    const call = next(dialect.tools(body), dialect.called(body));
    res.writeHead(200, { "content-type": "text/event-stream" }).end(dialect.answer(call, body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { ...seen, url, close: () => server.closeAllConnections() ?? server.close() };
}
