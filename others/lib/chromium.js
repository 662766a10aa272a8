// Starts Chromium, which Debian's package installs.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const path = "/usr/bin/chromium";

// launch starts the browser with a new profile. It ends the process with the exit code
// of a check that this machine cannot run if there is no browser.
export async function launch() {
  if (!existsSync(path)) {
    console.log(`there is no ${path}: apt-get install chromium`);
    process.exit(3);
  }
  return chromium.launch({
    executablePath: path,
    chromiumSandbox: false,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}
