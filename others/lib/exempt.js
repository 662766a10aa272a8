// What the conformance suite asks of features that the server does not have, by
// reason. A name is a scenario, or a check of a scenario behind a slash; a * stands
// for any text.
export const exempt = [
  ["The checks ask for prompts of the suite.", ["prompts-get-*", "input-required-result-non-tool-request"]],
  ["The checks ask for resources of the suite.", ["resources-read-*", "resources-templates-read"]],
  ["Resources cannot be subscribed to.", ["resources-subscribe", "resources-unsubscribe"]],
  ["It completes no arguments.", ["completion-complete"]],
  [
    "It does not log to clients, which MCP no longer recommends.",
    ["logging-set-level", "tools-call-with-logging", "server-stateless/sep-2575-server-no-log-without-loglevel"],
  ],
  [
    "It asks nothing of clients: no sampling, no elicitation, no roots.",
    [
      "tools-call-sampling",
      "tools-call-elicitation",
      "elicitation-sep1034-defaults",
      "elicitation-sep1330-enums",
      "input-required-result-*",
      "tasks-mrtr-input/*",
      "tasks-mrtr-composition/*",
      "server-stateless/sep-2575-server-rejects-undeclared-capability",
      "server-stateless/sep-2575-missing-capability-http-400",
      "server-stateless/sep-2575-http-server-no-independent-requests-on-stream",
    ],
  ],
  [
    "Its tools return text and structured content: no images, no sound, no embedded resources.",
    ["tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content"],
  ],
  ["Its schemas are flat and ask for no headers, so that every host understands them.", ["json-schema-2020-12", "http-custom-header-server-validation"]],
  ["Its tools work without tasks, and a task of theirs always ends with a tool's result.", ["tasks-required-task-error/*", "tasks-lifecycle/sep-2663-tasks-get-status-failed"]],
  ["The check compares the text of a tool of the suite.", ["tasks-request-headers/tasks-headers-tolerate-mcp-method-on-tools-call"]],
];

// exemption returns the name in exempt that a check of a scenario falls under.
export function exemption(scenario, check) {
  const fits = (name) => {
    const pattern = new RegExp(`^${name.replaceAll("*", ".*")}$`);
    return pattern.test(name.includes("/") ? `${scenario}/${check}` : scenario);
  };
  return exempt.flatMap(([, names]) => names).find(fits);
}
