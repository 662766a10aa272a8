// Writes docs/compatibility.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checks } from "../checks.js";
import { exempt } from "./exempt.js";
import { root, version } from "./install.js";

const path = join(root, "docs/compatibility.md");

const head = `# Compatibility

Programs that nobody here wrote check the real binary, on the sandbox, before a change lands. \`node others/run.js all\` has run the checks and written this page; [the list of checks](../others/checks.js) and [the checks](../others/checks) say exactly what is done.

| program | version | what was checked | result |
| --- | --- | --- | --- |
`;

const exemptions = `
## Conformance scenarios that do not apply

These scenarios, and checks of scenarios, ask for what the server does not have:

`;

// writeReport writes the page. A check that did not run, or that this machine
// could not run, keeps the result that the page has.
export function writeReport(results) {
  const before = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  const rows = checks.map((check) => {
    const row = `| ${check.program} | ${check.version?.() ?? version(check.package)} | ${check.checked} |`;
    const ran = results.find((r) => r.check === check && r.result !== "skipped");
    const kept = before.find((line) => line.startsWith(row)) ?? `${row} not run |`;
    return ran ? `${row} ${ran.result} |` : kept;
  });
  const list = exempt.map(([reason, names]) => `- ${reason} ${names.map((name) => `\`${name}\``).join(", ")}`);
  writeFileSync(path, `${head}${rows.join("\n")}\n${exemptions}${list.join("\n")}\n`);
}
