// The page's port in a host: JSON-RPC 2.0 over postMessage with the frame around it.
// Nothing else of the page knows how messages travel.

const port = (() => {
  const host = window.parent;
  const waiting = new Map(); // what settles a request, by its ID
  const handlers = new Map(); // by method
  let last = 0;

  const post = (message) => host.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const tell = (method, params = {}) => post({ method, params });

  // call sends a request and resolves with its result. It gives up after 60 seconds,
  // or when signal says so, and tells the host that it did.
  function call(method, params, signal) {
    if (host === window) return Promise.reject(new Error("There is no chat around this page."));
    if (signal?.aborted) return Promise.reject(new Error("The page was closed."));
    const id = ++last;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        if (method !== "ui/initialize") tell("notifications/cancelled", { requestId: id });
        settle(new Error("The chat did not answer."));
      };
      const timer = setTimeout(giveUp, 60000);
      const settle = (err, result) => {
        waiting.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        err ? reject(err) : resolve(result);
      };
      signal?.addEventListener("abort", giveUp);
      waiting.set(id, settle);
      post({ id, method, params });
    });
  }

  // answer answers a request of the host with what its handler returns.
  function answer({ id, method, params }) {
    const handle = method === "ping" ? () => {} : handlers.get(method);
    if (!handle) return post({ id, error: { code: -32601, message: "Method not found" } });
    handle(params ?? {});
    post({ id, result: {} });
  }

  window.addEventListener("message", ({ source, data }) => {
    if (source !== host || host === window || data?.jsonrpc !== "2.0") return;
    if (data.method === undefined) {
      waiting.get(data.id)?.(data.error && new Error(String(data.error.message ?? "The chat refused it.")), data.result);
    } else if (data.id !== undefined) {
      answer(data);
    } else {
      handlers.get(data.method)?.(data.params ?? {});
    }
  });

  return { call, tell, on: (method, handle) => handlers.set(method, handle) };
})();

// What a reader can do where the page cannot go on.
const advice = {
  gone: "Ask the assistant to list your builds or runs.",
  unknown: "Ask the assistant to run it.",
  unanswered: "Ask the assistant to list the runs before you run the function again.",
  unstopped: "Try again, or ask the assistant to stop it.",
};
