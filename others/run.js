// Checks the program with software of others, and writes docs/compatibility.md.
//
//   node others/run.js          what every change must pass
//   node others/run.js all      everything
//   node others/run.js FILE …   these files of others/checks
//
// It needs Go, npm, and the package registries the first time. Exit code 1: a check
// has failed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checks } from "./checks.js";
import { install, root } from "./lib/install.js";
import { writeReport } from "./lib/report.js";
import { run } from "./lib/run.js";

// select returns the checks that the arguments ask for.
function select(args) {
  if (args.length === 0) return checks.filter((check) => !check.onlyAll);
  if (args[0] === "all") return checks;
  const unknown = args.find((arg) => !checks.some((check) => check.file === arg));
  if (unknown) throw new Error(`others/checks.js has no ${unknown}`);
  const chosen = checks.filter((check) => args.includes(check.file));
  return checks.filter((check) => chosen.some((c) => c === check || c.after === check.file));
}

// runAll runs the checks, two at a time.
async function runAll(selected, work) {
  const waiting = [...selected];
  const results = [];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) results.push(await run(check, work));
  };
  await Promise.all([worker(), worker()]);
  return results;
}

const selected = select(process.argv.slice(2));
const work = mkdtempSync(join(tmpdir(), "anything-mcp-others-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

install();
const env = { ...process.env, CGO_ENABLED: "0" };
execFileSync("go", ["build", "-o", join(work, "anything-mcp"), "."], { cwd: root, env, stdio: "inherit" });
const results = await runAll(selected.filter((check) => !check.after), work);
results.push(...(await runAll(selected.filter((check) => check.after), work)));
writeReport(results);
const count = (word) => results.filter(({ result }) => result.startsWith(word)).length;
console.log(`${count("passes")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
process.exit(count("failed") > 0 ? 1 : 0);
