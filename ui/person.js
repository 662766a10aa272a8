// The page's port in a person's browser. It stands in for a host: it takes the job
// from the page's address, and the server's route for the calls.

const port = (() => {
  const handlers = new Map();

  // answers are what a host would say to the requests of the page.
  const answers = {
    "ui/initialize": () => ({
      hostCapabilities: { serverTools: {}, openLinks: {}, downloadFile: {} },
      hostContext: { displayMode: "fullscreen", home: true },
    }),
    "ui/open-link": ({ url }) => void window.open(url, "_blank", "noopener,noreferrer"),
    "ui/download-file": ({ contents }) => save(contents[0].resource),
    "tools/call": post,
  };

  async function post(params, signal) {
    const response = await fetch("/api/call", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(params),
      signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(60000)]) : AbortSignal.timeout(60000),
    });
    if (response.status === 401) location.reload(); // the server then asks for the token
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  function save({ uri, mimeType, text }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: mimeType }));
    link.download = uri.slice(uri.lastIndexOf("/") + 1);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // A browser may bring back a page that it had left, whose following has ended.
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

  // tell hands on the job once the page is ready.
  function tell(method) {
    const [, kind, id] = location.pathname.match(/\/(build|run)s\/([^/]+)$/) ?? [];
    if (method === "ui/notifications/initialized")
      handlers.get("ui/notifications/tool-result")({ structuredContent: kind ? { [`${kind}_id`]: decodeURIComponent(id) } : {} });
  }

  return {
    call: async (method, params, signal) => {
      if (!answers[method]) throw new Error("A browser has no " + method);
      return answers[method](params, signal);
    },
    tell,
    on: (method, handle) => handlers.set(method, handle),
  };
})();

// What a reader can do where the page cannot go on.
const advice = {
  gone: "Open “All builds and runs” above to see those that are known.",
  unknown: "Load this page again.",
  unanswered: "Look for it in “All builds and runs” above before you run the function again.",
  unstopped: "Try again, or load this page again.",
};
