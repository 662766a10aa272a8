// A server that answers the page's calls as ours would, so that a check has each state
// at once.

// ok returns a result of a tool.
export const ok = (structuredContent, more = {}) => ({ content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent, ...more });

// refused returns the error of a tool.
export const refused = (text) => ({ content: [{ type: "text", text }], isError: true });

export const query = "Fetch the top posts of Hacker News with their titles, links and points";

const log = [
  ["status", "starting"],
  ["thinking", "The user wants the top posts. First I look "],
  ["thinking", "at the page itself."],
  ["notte_session_data", undefined],
  ["tool_start", "browser_goto"],
  ["tool_start", "browser_observe"],
  ["thinking", "The entries repeat one pattern, so one extraction step will do."],
  ["tool_start", "browser_scrape"],
  ["text", "The page is simple enough. I am writing a function for it now."],
  ["tool_start", "write_function"],
];

export const entries = log.map(([type, text], i) => ({ seq: i + 1, at: i * 7.3, type, text }));

const base = { build_id: "build_aaaaaaaaaaaaaaaaaaaaaaaaaa", query, started_at: "2026-11-30T21:00:00Z", elapsed_seconds: 192.4, thread_url: "https://console.notte.cc/threads/1" };
const made = { function_id: "5a0db0c5-0000-4000-8000-000000000001", function_name: "hacker-news-top-posts" };
export const viewer = "https://viewer.example/session?token=v1ewert0ken";

// jobs are builds in each state in which the page can show one.
export const jobs = {
  running: { ...base, status: "running", elapsed_seconds: 73, viewer_url: viewer },
  done: { ...base, ...made, status: "done", total_cost_usd: 0.4711, answer: "Done: the function hacker-news-top-posts takes count and can be run again at any time.\n\nIt opens news.ycombinator.com and returns one item for each post." },
  nofunction: { ...base, status: "done", total_cost_usd: null, answer: "There was nothing to run again." },
  error: { ...base, status: "error", total_cost_usd: null, error: "The page could not be read.", detail: "The site refused the connection." },
  errormade: { ...base, ...made, status: "error", total_cost_usd: 0.2, error: "The last step failed." },
  timeout: { ...base, ...made, status: "timeout", total_cost_usd: null, reason: "The agent ran out of time." },
  cancelled: { ...base, status: "cancelled", total_cost_usd: null, reason: "user_cancelled" },
  interrupted: {
    ...base,
    status: "interrupted",
    total_cost_usd: null,
    candidates: [
      { ...made, name: "hacker-news-top-posts", created_at: "2026-11-30T21:02:00Z" },
      { function_id: "5a0db0c5-0000-4000-8000-000000000002", name: "news", created_at: "2026-11-30T21:02:30Z" },
    ],
  },
  volatile: { ...base, status: "running", durable: false, viewer_url: viewer },
};

export const variables = [
  { name: "count", type: "integer", required: false, default: 3 },
  { name: "section", type: "string", required: true, choices: ["top", "new", "best"] },
  { name: "comments", type: "boolean", required: false, default: false },
  { name: "ratio", type: "number", required: false },
  { name: "sites", type: "array", required: false },
  { name: "headers", type: "object", required: false },
  { name: "api_token", type: "string", required: false, default: "s3cret" },
  { name: "passphrase", type: "string", required: false, default: "s3cret" },
  { name: "note", type: "string", required: false, default: "hello" },
];

export const items = [1, 2, 3].map((rank) => ({ rank, title: `Post ${rank}`, url: `https://news.ycombinator.com/item?id=${rank}`, score: 101 - rank }));

// serve returns what answers the page's calls. job is what follow_job returns; run is
// how runs end; answers has other answers by tool, as values or functions. Calls that
// wait for something new wait for ever, until news(change) changes the job.
export function serve({ job = jobs.running, run = {}, simulated = false, answers = {}, log = entries } = {}) {
  let waiting = [];
  const state = { job, run, calls: [], open: 0, most: 0 };
  const runs = {};
  const tools = {
    async follow_job({ job_id: id, after, wait_seconds: wait }) {
      if (runs[id]) return ok({ job: runs[id], entries: [], next: 1, simulated });
      if (!state.job) return ok({ entries: [], next: 0, simulated });
      if (state.job.status === "running" && after >= log.length && wait > 0) await new Promise((resolve) => waiting.push(resolve));
      return ok({ job: state.job, entries: log.filter((e) => e.seq > after), next: log.length, simulated });
    },
    get_function: ({ function_id: id }) => ok({ function_id: id, name: "hacker-news-top-posts", description: "Fetches the top posts of Hacker News.", variables }),
    run_function({ function_id: id }) {
      const started = { run_id: `run_${Object.keys(runs).length + 1}`, function_id: id, status: "running", elapsed_seconds: 0 };
      runs[started.run_id] = { ...started, status: "closed", ok: true, result: { items, count: 3 }, elapsed_seconds: 2.1, logs: ["2026-11-30 21:00:00.000 | INFO     | function:run:12 | opened the page"], ...state.run };
      return ok(started);
    },
    cancel_build: ({ build_id: id }) => (state.news({ ...jobs.cancelled }), ok({ build_id: id, status: "cancelled" })),
    cancel_run: ({ run_id: id }) => ((runs[id] = { ...runs[id], status: "cancelled" }), ok({ run_id: id, status: "cancelled" })),
    get_run: () => refused("There is no further part."),
    ...answers,
  };
  state.news = (changed) => {
    state.job = changed;
    waiting.forEach((resolve) => resolve());
    waiting = [];
  };
  state.onCall = async ({ name, arguments: args }) => {
    state.calls.push({ name, args, at: Date.now() });
    if (name === "follow_job") state.most = Math.max(state.most, ++state.open);
    try {
      const answer = tools[name];
      return await (typeof answer === "function" ? answer(args) : answer);
    } finally {
      if (name === "follow_job") state.open--;
    }
  };
  return state;
}
