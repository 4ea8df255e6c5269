// Connects an EventSource to the mock that the query names, and reports to its own origin what the EventSource sees.

const source = new EventSource(`${new URLSearchParams(location.search).get("mock")}/events`);
let reported = Promise.resolve();

/**
 * Reports one after the other, so that the order is kept.
 * @param {Event} event
 */
function report(event) {
  const { lastEventId, data, origin } = /** @type {Partial<MessageEvent<string>>} */ (event);
  const body = JSON.stringify({ type: event.type, state: source.readyState, id: lastEventId, data, origin });
  reported = reported.then(async () => void (await fetch("/report", { method: "POST", body })));
}

for (const type of ["open", "error", "message", "price"]) source.addEventListener(type, report);
