// The page on the real server and its sandbox.
import assert from "node:assert/strict";
import { jobs } from "./fake.js";

// build has the model start a build, whose page is open from the start.
async function build(open, server, args, options) {
  const host = await open(null, options);
  await host.input(args);
  host.called = server.call("build_automation", args).then((result) => (host.result(result), result));
  return host;
}

// ends is how the page shows a build that ends as the sandbox is asked to.
const ends = {
  error: ["error", "The simulated page could not be read."],
  timeout: ["timeout", "It may not work"],
  cancelled: ["cancelled", "Notte may still bill it"],
  cut: ["done", "stream was lost"],
};

let n = 0;
const task = (words = "") => ({ query: `fetch the top 3 posts of page ${++n} ${words}` });

export const real = {
  async "real: a build from the first step to its run, and the chat opened again"(open, server) {
    const args = task();
    const host = await build(open, server, args);
    await host.until("done");
    await host.text("Simulated: nothing is real, nothing is billed").waitFor();
    const built = (await host.called).structuredContent;
    assert.equal(await host.part("cost").textContent(), `$${built.total_cost_usd.toFixed(2)}`);
    assert.ok((await host.part("answer").textContent()).startsWith("Done: the function"));
    await host.frame.getByLabel("count").fill("2");
    await host.button("Run").click();
    await host.frame.locator("form[data-run-state=closed]").waitFor();
    assert.equal(await host.part("result").getByRole("row").count(), 3);
    await host.button("Send to chat").click();
    await host.tab.frames()[1].waitForFunction(() => document.querySelector("[data-part=logs]").textContent.includes("finished"));
    await host.eventually(() => host.contexts.length === 2);

    const { structuredContent: known } = await server.call("get_build", { build_id: built.build_id });
    for (const result of [{ content: [], structuredContent: known }, { content: [] }]) {
      const again = await open(null);
      await again.input(args);
      await again.result(result);
      await again.until("done");
      await again.button("Run").waitFor();
      assert.equal(await again.frame.getByRole("list", { name: "Steps" }).getByRole("listitem").count(), 6);
    }
    const joined = await build(open, server, args);
    await joined.text("Nothing was billed for this call").waitFor();
    await joined.until("done");
  },

  async "real: watched, stopped"(open, server) {
    const host = await build(open, server, { ...task("[sandbox:slow]"), wait_seconds: 0 });
    await host.until("running");
    await host.frame.getByRole("list", { name: "Steps" }).getByText("Using browser_goto").waitFor();
    await host.button("Watch live").click();
    await host.button("Stop").click();
    await host.button("Stop the build").click();
    await host.until("cancelled");
    assert.match(host.links[0], /^http:\/\/127\.0\.0\.1:\d+\/viewer\//);
    const token = new URL(host.links[0]).searchParams.get("token");
    assert.ok(!JSON.stringify(host.sent.filter((m) => m.method !== "ui/open-link")).includes(token));
  },

  async "real: the assistant leaves"(open, server) {
    const args = { ...task("[sandbox:slow]"), wait_seconds: 0 };
    const host = await build(open, server, args);
    await host.until("running");
    await host.called;
    await host.bridge.sendToolCancelled({ reason: "user" });
    await host.text("The assistant no longer waits").waitFor();
    await server.call("cancel_build", { build_id: (await host.called).structuredContent.build_id });
    await host.until("cancelled");
  },

  async "real: a failed run"(open, server) {
    const host = await build(open, server, task("[sandbox:broken]"));
    await host.button("Run").click();
    await host.frame.locator("form[data-run-state=failed]").waitFor();
    await host.text("no such element").waitFor();
  },

  async "real: a run of its own"(open, server) {
    const args = { function_id: jobs.done.function_id, variables: { count: 4 } };
    const host = await open(null);
    await host.input(args);
    await host.result(await server.call("run_function", { ...args, wait_seconds: 0 }));
    await host.until("done");
    assert.equal(await host.part("query").textContent(), "hacker-news-top-posts");
    assert.equal(await host.part("result").getByRole("row").count(), 5);
  },

  async "real: an unknown build"(open) {
    const host = await open(null);
    await host.result({ content: [], structuredContent: { build_id: "build_aaaaaaaaaaaaaaaaaaaaaaaaaa" } });
    await host.until("gone");
  },
};

for (const [word, [state, sentence]] of Object.entries(ends)) {
  real[`real: ${word}`] = async (open, server) => {
    const host = await build(open, server, task(`[sandbox:${word}]`));
    await host.until(state);
    await host.text(sentence).waitFor();
    await host.eventually(() => host.contexts.length === 1);
  };
}
