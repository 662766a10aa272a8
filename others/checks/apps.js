// A host with MCP Apps: the official AppBridge, around the page in Chromium.
//
//   node apps.js 2|1 [text]     with the AppBridge of this version; only checks whose
//                               names have the text
import { launch } from "../lib/chromium.js";
import { show, sound } from "../lib/apphost.js";
import { page, serveReal } from "../apps/server.js";
import { behaviour } from "../apps/behaviour.js";
import { forms } from "../apps/forms.js";
import { looks } from "../apps/looks.js";
import { real } from "../apps/real.js";

const [version, only = ""] = process.argv.slice(2);
const bridge = await import(version === "1" ? "ext-apps-1/app-bridge" : "@modelcontextprotocol/ext-apps/app-bridge");

const browser = await launch();
const server = await serveReal(version);
const html = await page(server);
let failed = 0;

// run runs a check in a browser context of its own.
async function run(name, check) {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const hosts = [];
  const open = async (fake, options = {}) => {
    const host = await show(context, { html, bridge, ...(fake?.onCall ? { onCall: fake.onCall } : { client: server.client }), ...options });
    hosts.push(host);
    return host;
  };
  try {
    await check(open, server);
    hosts.forEach(sound);
  } catch (err) {
    failed++;
    const seen = await Promise.all(hosts.map((host) => host.main.innerText().catch(() => "")));
    console.log(`${name}: ${err.stack}\n${seen.join("\n--\n")}\n`);
  }
  await context.close();
}

// What uses the real server needs no time of this process: it runs beside the rest.
const all = Object.entries({ ...real, ...(version === "1" ? {} : { ...behaviour, ...forms, ...looks }) }).filter(([name]) => name.includes(only));
const worker = async () => {
  for (let next = all.shift(); next; next = all.shift()) await run(...next);
};
await Promise.all([worker(), worker(), worker()]);
await server.close();
await browser.close();
process.exit(failed > 0 ? 1 : 0);
