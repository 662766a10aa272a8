// A person's browser: the pages of anything-mcp http and of anything-mcp build --open in
// Chromium, with a page of another site beside them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { launch } from "../lib/chromium.js";
import { binary, flags, serveHTTP } from "../lib/server.js";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core")), "utf8");
const token = "a-token-for-people";
const query = "fetch the top 3 hacker news posts";

// build has a terminal build something, and returns the process and what it prints to
// stderr, line by line.
function build(task, ...args) {
  const child = spawn(binary, ["build", ...flags, ...args, task], { stdio: ["ignore", "ignore", "pipe"] });
  return { child, exit: once(child, "exit"), lines: createInterface(child.stderr) };
}

// sound checks a page for people who do not see or do not use a mouse, at each width and
// in both themes. A page of its own does it, because it must run code that is not ours.
async function sound(page) {
  for (const width of [320, 760, 1200]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: 700 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); // a colour on its way to another is neither
      const { violations } = await page.evaluate(`${axe}; axe.run()`);
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], `${page.url()} at ${width} px, ${colorScheme}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${page.url()} scrolls sideways at ${width} px`);
    }
  }
}

// signIn signs a person in with the keyboard alone.
async function signIn(page, url) {
  await page.goto(url);
  await page.keyboard.type("wrong"); // the field has the focus
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "The token is wrong" }).waitFor();
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Builds and runs" }).waitFor();
}

// watch has a person look at a build and run its function.
async function watch(page) {
  await page.getByRole("link", { name: query }).first().click();
  await page.locator("main[data-state=done]").waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.locator("[data-part=result]").waitFor();
}

// openGone has a person open jobs that the server does not know, and go on to the list.
async function openGone(page, url) {
  for (const path of ["/builds/build_gone", "/runs/run_gone"]) {
    await page.goto(new URL(path, url).href);
    await page.locator("main[data-state=gone]").waitFor();
    const said = await page.locator("[data-part=notice]").innerText();
    assert.match(said, /is known of this (build|run) any more\. Open “All builds and runs” above/);
    await page.getByRole("link", { name: "All builds and runs" }).click();
    await page.getByRole("heading", { name: "Builds and runs" }).waitFor();
  }
}

// tryForeign has a page of another site do what it must not be able to do.
async function tryForeign(page, target) {
  const site = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<a href="${target}">go</a><iframe src="${target}"></iframe>
      <form method="post" action="${new URL("/sign-out", target)}"><button>Sign out</button></form>`);
  }).listen(0, "127.0.0.1");
  await once(site, "listening");
  const address = `http://localhost:${site.address().port}/`;
  await page.goto(address);
  const said = await page.evaluate(async (url) => {
    const call = (headers) => fetch(url, { method: "POST", credentials: "include", headers, body: '{"name":"follow_job","arguments":{"query":"q"}}' });
    const outcomes = await Promise.allSettled([call({ "Content-Type": "application/json" }), call({ "Content-Type": "text/plain" })]);
    return outcomes.map(({ status, value }) => value?.status ?? status);
  }, String(new URL("/api/call", target)));
  assert.deepEqual(said, ["rejected", "rejected"], "a page of another site reads an answer");
  assert.equal(await page.frameLocator("iframe").locator("main").count(), 0, "a page of another site shows ours in a frame");
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "Nothing was done" }).waitFor();
  await page.goto(address);
  await page.getByRole("link").click(); // a link may lead here, and the person is still signed in
  await page.locator("main[data-state=done]").waitFor();
  site.close();
}

// watchOpened has the browser show a build of the command build --open, until the
// command ends.
async function watchOpened(context) {
  const { child, exit, lines } = build(query, "--open", "--force-new");
  const address = await new Promise((resolve) => {
    lines.on("line", (line) => line.startsWith("Watch it at ") && resolve(line.slice("Watch it at ".length)));
  });
  const page = await context.newPage();
  await page.goto(address);
  assert.ok(!page.url().includes("code="), "the code stays in the address");
  await page.locator("main[data-state=running]").waitFor();
  await page.locator("main[data-state=done]").waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  assert.deepEqual(await exit, [0, null]);
  assert.equal(child.exitCode, 0);
}

const browser = await launch();
await build("watch a page [sandbox:cancelled]").exit; // its row has the longest words
await build(query).exit;
const server = await serveHTTP({ ANYTHING_MCP_AUTH_TOKEN: token });
const context = await browser.newContext();
context.setDefaultTimeout(60_000);
const page = await context.newPage();
const faults = [];
page.on("pageerror", (err) => faults.push(String(err)));
page.on("console", (message) => /Content.Security.Policy/i.test(message.text()) && faults.push(message.text()));

await signIn(page, new URL("/", server.url).href);
await watch(page);
const shown = page.url();
await openGone(page, shown);
await tryForeign(await context.newPage(), shown);
await watchOpened(context);

const checked = await browser.newContext({ bypassCSP: true, storageState: await context.storageState() });
const own = await checked.newPage();
for (const url of [new URL("/", shown).href, shown]) {
  await own.goto(url);
  await own.locator("main:not([data-state=waiting])").waitFor();
  await sound(own);
}
await page.goto(new URL("/", shown).href);
await page.getByRole("button", { name: "Sign out" }).click();
await page.getByLabel("Token").waitFor();
await own.goto(shown);
await own.getByLabel("Token").waitFor();
await sound(own);
assert.deepEqual(faults, []);

await browser.close();
await server.close();
