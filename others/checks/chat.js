// The example examples/chat says what its transcript says, but for IDs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chat } from "../lib/install.js";

const withoutIDs = (transcript) => transcript.replaceAll(/run_[a-z2-7]{26}/g, "RUN").split("\n");
const said = execFileSync(process.execPath, [join(chat, "chat.js")], { encoding: "utf8" });
assert.deepEqual(withoutIDs(said), withoutIDs(readFileSync(join(chat, "transcript.md"), "utf8")));
