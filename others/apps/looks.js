// How each state looks: in both themes and at three widths, it fits, it can be read, and
// axe finds no fault.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { jobs, query, refused, serve } from "./fake.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// faults returns what axe finds in a frame or a tab.
export async function faults(frame) {
  if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
  const { violations } = await frame.evaluate(() => axe.run(document, { iframes: false }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
}

// A palette that a host may have, and one in which texts cannot be read.
const warm = { "--color-background-primary": "light-dark(#faf9f5, #262624)", "--color-background-secondary": "light-dark(#f0eee6, #30302e)", "--color-text-primary": "light-dark(#141413, #faf9f5)", "--color-text-secondary": "light-dark(#5e5d59, #c2c0b6)", "--color-border-primary": "light-dark(#d1cfc5, #55544f)" };
const pale = { "--color-background-primary": "#ffffff", "--color-background-secondary": "#fafafa", "--color-text-primary": "#cccccc", "--color-text-secondary": "#dddddd" };

// fits checks that nothing is wider than the page.
async function fits(host, where) {
  const wide = await host.main.evaluate(() => {
    const all = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.matches(".unseen, option"));
    return all.filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 100)).concat(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []);
  });
  assert.deepEqual(wide, [], `${where}: wider than the page`);
}

// look shows a page in a theme, with the colours of a host, at a width.
async function look(host, theme, variables, width) {
  await host.bridge.sendHostContextChange({ theme, styles: { variables } });
  await host.tab.setViewportSize({ width, height: 900 });
  await host.tab.frames()[1].waitForFunction(([w, t]) => innerWidth === w && document.documentElement.dataset.theme === t && document.querySelector("main").classList.contains("narrow") === w < 480, [width, theme]);
}

// everywhere checks a state in each look. most is how high it may be. What axe finds
// does not depend on the largest width.
async function everywhere(host, name, most = Infinity) {
  const palettes = name === "done" ? [{}, warm, pale] : [{}];
  for (const theme of ["light", "dark"]) {
    for (const variables of palettes) {
      for (const width of [320, 760, 1200]) {
        const where = `${name}, ${theme}, ${width} px, palette ${palettes.indexOf(variables)}`;
        await look(host, theme, variables, width);
        await fits(host, where);
        const height = await host.main.evaluate((m) => m.getBoundingClientRect().height);
        assert.ok(height <= most, `${where}: ${height} px high`);
        if (width < 1200) assert.deepEqual(await faults(host.tab.frames()[1]), [], where);
      }
    }
  }
}

const running = 500; // px, as high as the page may be while a build runs

// Every state, and how to get there.
const states = {
  waiting: { fake: { job: null } },
  running: { job: jobs.running, most: running },
  "running, and all there is to say": {
    job: jobs.volatile,
    most: running,
    fake: { simulated: true },
    async then(host) {
      await host.result({ structuredContent: { ...jobs.volatile, joined: true }, content: [] });
      await host.bridge.sendToolCancelled({ reason: "user" });
      await host.text("no longer waits").waitFor();
    },
  },
  "asks whether to stop": {
    job: jobs.running,
    async then(host) {
      await host.button("Stop").click();
    },
  },
  done: { job: jobs.done, async then(host) { await host.button("Run").waitFor(); } },
  "a wrong value, then a result": {
    job: jobs.done,
    async then(host) {
      await host.button("Run").click();
      await host.text("This must be filled in.").waitFor();
      await host.frame.getByLabel("section").selectOption("top");
      await host.frame.getByLabel("ratio").fill("many");
      await host.frame.getByLabel("sites").fill("[");
      await host.button("Run").click();
      await host.text("This must be a list in JSON").waitFor();
      await host.frame.getByLabel("ratio").fill("");
      await host.frame.getByLabel("sites").fill("");
      await host.button("Run").click();
      await host.frame.locator("form[data-run-state=closed]").waitFor();
      for (const name of ["As JSON", "Log"]) await host.text(name, { exact: true }).click();
    },
  },
  "a failed run": {
    job: jobs.done,
    fake: { run: { status: "failed", ok: false, result: undefined, error: "TimeoutError: no such element", logs: ["a\tb", "x".repeat(1000)] } },
    async then(host) {
      await host.frame.getByLabel("section").selectOption("top");
      await host.button("Run").click();
      await host.frame.locator("form[data-run-state=failed]").waitFor();
    },
  },
  nofunction: { job: jobs.nofunction },
  error: { job: jobs.error },
  errormade: { job: jobs.errormade },
  timeout: { job: jobs.timeout },
  cancelled: { job: jobs.cancelled },
  interrupted: { job: jobs.interrupted },
  gone: { fake: { answers: { follow_job: refused("build_id must be the build_id that build_automation returned: there is none with this ID, or it has expired.") } } },
};

// looks returns the checks, by name.
export const looks = Object.fromEntries(Object.entries(states).map(([name, { job, fake, then, most }]) => [`looks: ${name}`, async (open) => {
  const host = await open(serve({ ...(job && { job }), ...fake }));
  await host.input({ query });
  await host.until(job?.status ?? name);
  await then?.(host);
  await everywhere(host, name, most);
}]));
