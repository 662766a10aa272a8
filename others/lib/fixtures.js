// A proxy between the conformance suite and the server. The suite calls tools of
// its own, which a server under test is to have. The proxy has ours in their
// place: it changes the name and the arguments of such a call and nothing else.
import { createServer, request } from "node:http";

let calls = 0;
const build = (query) => ({ name: "build_automation", arguments: { query: `${query} ${++calls}` } });

// example is a function that every sandbox has.
const example = "5a0db0c5-0000-4000-8000-000000000001";

// fixtures are the suite's tools that ours can stand for.
const fixtures = {
  test_simple_text: () => ({ name: "list_builds", arguments: {} }),
  test_error_handling: () => ({ name: "get_build", arguments: { build_id: "none" } }),
  test_tool_with_progress: () => build("fetch posts"),
  greet: () => ({ name: "list_builds", arguments: {} }),
  confirm_delete: () => ({ name: "list_builds", arguments: {} }),
  slow_compute: ({ seconds }) => build(seconds > 5 ? "follow a page [sandbox:slow]" : "fetch posts"),
  test_trigger_tool_change: () => ({ name: "pin_function", arguments: { function_id: example, name: `posts_${++calls}` } }),
  failing_job: () => build("fetch posts [sandbox:error]"),
};

function translate(message, headers) {
  if (message.method !== "tools/call") return;
  const fixture = fixtures[message.params.name];
  if (!fixture) return;
  Object.assign(message.params, fixture(message.params.arguments ?? {}));
  if (headers["mcp-name"] !== undefined) headers["mcp-name"] = message.params.name;
}

// serveFixtures starts a proxy for the server at url.
export async function serveFixtures(url) {
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    let body = Buffer.concat(chunks);
    const headers = { ...req.headers, host: new URL(url).host };
    if (req.method === "POST") {
      const message = JSON.parse(body);
      translate(message, headers);
      body = Buffer.from(JSON.stringify(message));
      headers["content-length"] = body.length;
    }
    const forward = request(url, { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    res.on("close", () => forward.destroy());
    forward.on("error", () => res.destroy());
    forward.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, close: () => server.close() };
}
