/** Dialogs: `<${Dialog}>` in a page, and questions that code asks, such as `await confirm({title, …})`. */

import { html, useId, useLayoutEffect, useRef } from "./html.js";
import { route } from "./router.js";
import { store, useStore } from "./store.js";
import { Button } from "./ui.js";
import { instant } from "./format.js";

/** A modal window while it is rendered. `onClose` is called by Escape, the cross and a click beside it. */
export function Dialog({ title, children, onClose, size = "medium" }) {
  const element = useRef(null);
  const id = useId();
  // Before the next key: one that is typed at once is not for the button that opened it.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea")?.focus();
    // Closing gives the focus back; what is outside of an open dialog could not take it.
    return () => dialog.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const clickOutside = (event) => event.target === element.current && onClose();
  return html`<dialog
    ref=${element}
    class=${`dialog dialog-${size}`}
    aria-labelledby=${id}
    onCancel=${cancel}
    onMouseDown=${clickOutside}
  >
    <div class="dialog-body">
      <header class="dialog-head">
        <h2 id=${id}>${title}</h2>
        <${Button} kind="quiet" icon="x" label="Close" onClick=${onClose} />
      </header>
      ${children}
    </div>
  </dialog>`;
}

const questions = store([]);
let last = 0;

/** Open a dialog of `render(close)`, above those that are open; resolves to the value that `close` is called with. */
export function ask(title, render, options = {}) {
  return new Promise((resolve) => {
    const id = (last += 1);
    const close = (value) => {
      questions.set((open) => open.filter((question) => question.id !== id));
      resolve(value);
    };
    questions.set((open) => [...open, { id, title, render, options, close }]);
  });
}

// A dialog is of the page that it was opened on: a link, a way back and the end of the session close it.
let path = route.get().path;
route.subscribe((next) => {
  if (next.path === path) return;
  path = next.path;
  for (const { close } of questions.get()) close(undefined);
});

/** The place of the dialogs that code opens; once, in the shell. */
export function Questions() {
  return useStore(questions).map(
    ({ id, title, render, options, close }) => html`<${Dialog} key=${id} title=${title} onClose=${() => close(undefined)} ...${options}>
      ${render(close)}
    <//>`,
  );
}

/** Ask before something that cannot be undone; resolves to true or false. */
export async function confirm({ title, text, action = "Delete", kind = "danger" }) {
  const answer = await ask(
    title,
    (close) => html`<p>${text}</p>
      <footer class="dialog-foot">
        <${Button} onClick=${() => close(false)}>Cancel<//>
        <${Button} kind=${kind} onClick=${() => close(true)}>${action}<//>
      </footer>`,
    { size: "small" },
  );
  return answer === true;
}

/**
 * Somebody else changed the entity: show their values and yours, in rows of `{label, theirs, yours}`.
 *
 * Resolves to "mine" (write again over theirs), "theirs" (take their values) or undefined (go on editing).
 */
export function askConflict(rows) {
  return ask(
    "Somebody else changed this",
    (close) => html`<p class="muted">
        While you were editing, it was saved by somebody else. ${rows.length ? "These values differ:" : "Your values are the same as theirs."}
      </p>
      ${rows.length > 0 &&
      html`<table class="table table-compact">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Theirs</th>
            <th scope="col">Yours</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ label, theirs, yours }) => html`<tr key=${label}>
              <th scope="row">${label}</th>
              <td>${theirs}</td>
              <td>${yours}</td>
            </tr>`,
          )}
        </tbody>
      </table>`}
      <footer class="dialog-foot">
        <${Button} onClick=${() => close(undefined)}>Keep editing<//>
        <${Button} onClick=${() => close("theirs")}>Take theirs<//>
        <${Button} kind="primary" onClick=${() => close("mine")}>Save mine<//>
      </footer>`,
  );
}

const INSTANT = /^\d{4}-\d\d-\d\dT.+Z$/;

/** A value of a field as it is stored, for people. */
export function ValueText({ value }) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string" && INSTANT.test(value)) return instant(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
