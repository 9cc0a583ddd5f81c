/**
 * The token of the session: in the tab's sessionStorage, and handed to new tabs of the same browser on request.
 *
 * It survives a reload and ends with the tab; docs/decisions/console.md says why it is no cookie.
 */

const NAME = "workledger.token";
const HANDOVER_MILLISECONDS = 150;

const channel = "BroadcastChannel" in window ? new BroadcastChannel("workledger.session") : null;
const listeners = new Set();
let current = sessionStorage.getItem(NAME);

export const token = () => current;

/** Call `listener(reason)` when the session ends: "signed-out" or "expired". */
export function onEnd(listener) {
  listeners.add(listener);
}

export function beginSession(value) {
  current = value;
  sessionStorage.setItem(NAME, value);
}

export function endSession(reason) {
  if (current === null) return;
  channel?.postMessage({ ended: current, reason });
  forget(reason);
}

function forget(reason) {
  current = null;
  sessionStorage.removeItem(NAME);
  for (const listener of listeners) listener(reason);
}

/** Ask the other tabs for their token; resolves to true if one has answered. */
export function takeOver() {
  if (current !== null || channel === null) return Promise.resolve(current !== null);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), HANDOVER_MILLISECONDS);
    channel.addEventListener("message", function handle({ data }) {
      if (!data.token) return;
      clearTimeout(timer);
      channel.removeEventListener("message", handle);
      if (current === null) beginSession(data.token);
      resolve(true);
    });
    channel.postMessage({ asks: true });
  });
}

channel?.addEventListener("message", ({ data }) => {
  if (data.asks && current !== null) channel.postMessage({ token: current });
  if (data.ended && data.ended === current) forget(data.reason);
});
