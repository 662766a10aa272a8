// The official conformance suite: its scenarios for servers, in three versions of
// the protocol, and those for extensions. What does not apply is in
// lib/exempt.js. All else must pass without a warning.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { exempt, exemption } from "../lib/exempt.js";
import { serveFixtures } from "../lib/fixtures.js";
import { serveHTTP } from "../lib/server.js";

// suite runs the suite's command. It fails when a check fails, also one that does
// not apply, so its exit code says nothing here.
async function suite(...args) {
  const run = promisify(execFile)("conformance", args, { maxBuffer: 1 << 26 });
  return (await run.catch((err) => err)).stdout;
}

const listed = [...(await suite("list", "--server")).matchAll(/^ +- (\S+) \[(.*)\]$/gm)];
const extensions = listed.filter(([, , versions]) => versions === "extension").map(([, name]) => name);
const runs = [
  ...["2025-06-18", "2025-11-25", "2026-07-28"].map((version) => ["--suite", "all", "--spec-version", version]),
  ...extensions.map((scenario) => ["--scenario", scenario]),
];

const server = await serveHTTP();
const proxy = await serveFixtures(server.url);
const seen = new Set();
const used = new Set();
const faults = [];
let passed = 0;
for (const [i, args] of runs.entries()) {
  const dir = join(process.env.HOME, `results-${i}`);
  await suite("server", "--url", proxy.url, "--output-dir", dir, ...args);
  for (const result of readdirSync(dir)) {
    const scenario = result.match(/^server-(.*)-\d{4}-\d\d-\d\dT.*Z$/)[1];
    seen.add(scenario);
    for (const check of JSON.parse(readFileSync(join(dir, result, "checks.json")))) {
      if (check.status === "SUCCESS") passed++;
      if (!["FAILURE", "WARNING"].includes(check.status)) continue;
      const name = exemption(scenario, check.id);
      if (name) used.add(name);
      else faults.push(`${args.join(" ")}: ${scenario}/${check.id}: ${check.errorMessage ?? check.description}`.slice(0, 400));
    }
  }
}
proxy.close();
await server.close();
assert.deepEqual(faults, []);
assert.deepEqual([...seen].sort(), listed.map(([, name]) => name).sort(), "some scenarios did not run");
assert.deepEqual(exempt.flatMap(([, names]) => names).filter((name) => !used.has(name)), [], "these are exempt but pass");
console.log(`${passed} checks passed`);
process.exit();
