// A host with MCP Apps: the official AppBridge, around a frame in Chromium.
//
// AppBridge runs here and not in the browser, so that the checks see every message.
// Beside the frame a script hands messages on, as postMessage brings them. The frame is
// sandboxed and has the policy that the specification gives a page without domains.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import Ajv from "ajv/dist/2020.js";

const schema = createRequire(import.meta.url)("@modelcontextprotocol/ext-apps/schema.json");

const policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; media-src 'self' data:; connect-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'self'";

const outside = `<!DOCTYPE html><html lang="en"><meta name="color-scheme" content="light dark"><title>Host</title>
<style>body { margin: 0 } iframe { display: block; width: 100%; height: 0; border: 0 }</style>
<iframe sandbox="allow-scripts" src="http://frame.test/" title="App"></iframe>
<script>
const frame = document.querySelector("iframe");
addEventListener("message", (event) => event.source === frame.contentWindow && hostReceives(JSON.stringify(event.data)));
function hostSends(message) { frame.contentWindow.postMessage(message, "*"); }
</script>`;

// everything is what a host may offer.
export const everything = { openLinks: {}, serverTools: {}, serverResources: {}, message: { text: {} }, updateModelContext: { text: {}, structuredContent: {} }, downloadFile: {}, logging: {} };

const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema(schema, "apps");

// definitions are those of the messages of a page, by method.
const definitions = {};
for (const [name, { properties }] of Object.entries(schema.$defs)) {
  const method = properties?.method?.const;
  if (method) definitions[method] = name;
}

// check checks a message of the page against the schema of the extension, if it is one
// of the extension's.
function check(message) {
  assert.equal(message.jsonrpc, "2.0");
  const { jsonrpc, id, ...rest } = message;
  const name = definitions[message.method];
  if (!name) return assert.ok(!message.method?.startsWith("ui/"), `the extension has no ${message.method}`);
  const valid = ajv.getSchema(`apps#/$defs/${name}`);
  assert.ok(valid(rest), `${message.method}: ${JSON.stringify(valid.errors)}`);
}

// show opens a page in a new tab of the browser context. options has html; bridge, the
// module of AppBridge; client, or onCall, which answers the page's tools/call; and, if
// wanted, capabilities, hostContext, width and height. With clock, the page's time
// passes only as the check says.
export async function show(context, { html, bridge: { AppBridge }, client = null, onCall, capabilities = everything, hostContext = {}, width = 760, height = 900, clock = false }) {
  const tab = await context.newPage();
  await tab.setViewportSize({ width, height });
  if (clock) await tab.clock.install();
  const host = { tab, sent: [], requests: [], faults: [], links: [], messages: [], contexts: [], files: [], sizes: [], times: [] };
  tab.on("request", (request) => host.requests.push(request.url()));
  tab.on("pageerror", (err) => host.faults.push(String(err)));
  tab.on("console", (entry) => entry.type() === "error" && host.faults.push(entry.text()));
  await tab.route("http://host.test/", (route) => route.fulfill({ contentType: "text/html", body: outside }));
  await tab.route("http://frame.test/", (route) => route.fulfill({ contentType: "text/html", headers: { "Content-Security-Policy": policy }, body: html }));

  // inTab calls a function in the tab, unless that is closed.
  const inTab = (f, arg) => tab.evaluate(f, arg).catch((err) => tab.isClosed() || Promise.reject(err)).then(() => {});
  const bridge = new AppBridge(client, { name: "others", version: "1" }, capabilities, { hostContext });
  const transport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    send: (message) => inTab((m) => hostSends(m), message),
  };
  await tab.exposeFunction("hostReceives", (json) => {
    const message = JSON.parse(json);
    host.sent.push(message);
    try {
      check(message);
    } catch (err) {
      host.faults.push(String(err));
    }
    transport.onmessage?.(message);
  });
  if (onCall)
    bridge.oncalltool = async (params) => {
      if (clock) host.times.push(await tab.evaluate(() => Date.now()));
      return onCall(params);
    };
  bridge.onopenlink = async ({ url }) => (host.links.push(url), {});
  bridge.onmessage = async (params) => (host.messages.push(params), {});
  bridge.onupdatemodelcontext = async (params) => (host.contexts.push(params), {});
  bridge.ondownloadfile = async ({ contents }) => (host.files.push(contents), {});
  bridge.onsizechange = async ({ height }) => {
    host.sizes.push(height);
    await inTab((h) => void (frame.style.height = `${h}px`), height);
  };
  bridge.onloggingmessage = () => {};
  host.ready = new Promise((resolve) => (bridge.oninitialized = resolve));
  await bridge.connect(transport);
  await tab.goto("http://host.test/");
  host.bridge = bridge;
  host.frame = tab.frameLocator("iframe");
  host.main = host.frame.locator("main");
  host.part = (name) => host.frame.locator(`[data-part=${name}]`);
  host.text = (text, options) => host.frame.locator("main > :not(.unseen)").getByText(text, options).first();
  host.button = (name) => host.frame.getByRole("button", { name, exact: true });
  host.calls = (name) => host.sent.filter((m) => m.method === "tools/call" && (!name || m.params.name === name)).map((m) => m.params);
  host.until = (state) => host.frame.locator(`main[data-state=${state}]`).waitFor();
  host.eventually = async (condition) => {
    const end = Date.now() + 30_000;
    while (!condition()) {
      assert.ok(Date.now() < end, `this did not become true: ${condition}`);
      await sleep(10);
    }
  };
  host.input = (args) => bridge.sendToolInput({ arguments: args });
  host.result = (result) => bridge.sendToolResult(result);
  await host.ready;
  if (clock) await tab.clock.pauseAt(Date.now() + 1000);
  return host;
}

// sound checks what must hold of every page at its end: no fault in the browser, every
// message valid, and no request but for the two documents.
export function sound(host) {
  assert.deepEqual(host.faults, []);
  assert.deepEqual(host.requests, ["http://host.test/", "http://frame.test/"]);
  for (const { method, params } of host.sent) assert.ok(method !== "tools/call" || !params._meta, "a call of the page has a progress token");
}
