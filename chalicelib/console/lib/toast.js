/** Short messages at the edge of the window: `toast("Client created")`, with an action such as Undo if it has one. */

import { messageOf } from "./api.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { store, useStore } from "./store.js";

const SHOWN_MILLISECONDS = 6_000;
const toasts = store([]);
let last = 0;

/** Show a message. `options`: `tone` ("good" or "bad"), `action` `{label, onClick}`. */
export function toast(text, { tone = "good", action } = {}) {
  const id = (last += 1);
  toasts.set((shown) => [...shown.slice(-2), { id, text, tone, action }]);
  setTimeout(() => dismiss(id), SHOWN_MILLISECONDS);
}

/** Show an error that has no place of its own in the page. */
export const toastError = (error) => toast(messageOf(error), { tone: "bad" });

const dismiss = (id) => toasts.set((shown) => shown.filter((item) => item.id !== id));

export function Toasts() {
  const shown = useStore(toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.map(
      ({ id, text, tone, action }) => html`<div class=${classes("toast", `toast-${tone}`)} key=${id}>
        <${Icon} name=${tone === "bad" ? "alert" : "check"} />
        <span>${text}</span>
        ${action &&
        html`<button type="button" class="toast-action" onClick=${() => (dismiss(id), action.onClick())}>${action.label}</button>`}
        <button type="button" class="toast-close" aria-label="Dismiss" onClick=${() => dismiss(id)}>
          <${Icon} name="x" size=${16} />
        </button>
      </div>`,
    )}
  </div>`;
}
