// Takes the pictures of the build monitor for the README, from the program on the
// sandbox: docs/monitor-running.webp and docs/monitor-done.webp.
//
//   node others/pictures.js
//
// It needs Go, npm and Chromium. The font is Inter where it is installed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, root } from "./lib/install.js";

install();
const work = mkdtempSync(join(tmpdir(), "anything-mcp-pictures-"));
process.env.BINARY = join(work, "anything-mcp");
process.env.ANYTHING_MCP_STATE_DIR = join(work, "state");
execFileSync("go", ["build", "-o", process.env.BINARY, "."], { cwd: root, env: { ...process.env, CGO_ENABLED: "0" }, stdio: "inherit" });

const { launch } = await import("./lib/chromium.js");
const { show } = await import("./lib/apphost.js");
const { page, serveReal } = await import("./apps/server.js");
const bridge = await import("@modelcontextprotocol/ext-apps/app-bridge");

const server = await serveReal("2", "--sandbox-speed", "0.5");
const browser = await launch();
const context = await browser.newContext({ deviceScaleFactor: 2 });
const hostContext = { theme: "light", styles: { variables: { "--font-sans": "Inter, system-ui, sans-serif" } } };
const host = await show(context, { html: await page(server), bridge, client: server.client, hostContext, width: 720 });
const session = await context.newCDPSession(host.tab);
const args = { query: "Fetch the top 3 posts of news.ycombinator.com" };

// take writes a picture of the page as the host shows it.
async function take(name) {
  await host.tab.mouse.move(0, 0);
  const height = Math.ceil(await host.main.evaluate((m) => m.getBoundingClientRect().height));
  await host.tab.setViewportSize({ width: 720, height });
  await host.frame.locator("html").evaluate((html, h) => new Promise((resolve) => (html.clientHeight >= h ? resolve() : addEventListener("resize", resolve, { once: true }))), height);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 85 });
  writeFileSync(join(root, `docs/monitor-${name}.webp`), Buffer.from(data, "base64"));
}

await host.input(args);
server.call("build_automation", args).then(host.result);
await host.text("Using write_function").waitFor();
await take("running");
await host.until("done");
await host.frame.getByLabel("count").fill("5");
await host.button("Run").click();
await host.frame.locator("form[data-run-state=closed]").waitFor();
await take("done");
await browser.close();
await server.close();
rmSync(work, { recursive: true });
