/** Many time sessions at once: changed or deleted, with the reasons of those that stay as they are. */

import { patch, post } from "../lib/api.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { duration, instant, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Table } from "../lib/table.js";
import { workFields } from "../lib/time_fields.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, Notice } from "../lib/ui.js";

const MOST = 100;
const FAILED = [
  { name: "description", label: "Time", value: ({ session }) => `${session.description || "No description"}, ${instant(session.startAt)}` },
  { name: "message", label: "Why" },
];

const counted = (count) => (count === 1 ? "1 session" : `${number(count)} sessions`);

/** `rows`: those that are chosen; `clear()` chooses none, `done()` loads them again. */
export function BulkBar({ rows, clear, done }) {
  if (rows.length === 0) return null;
  const ids = rows.map(({ id }) => id);

  async function finish({ results }, verb) {
    const failed = results.filter(({ result }) => result === "error").map((row) => ({ ...row, session: rows.find(({ id }) => id === row.id) }));
    const isDone = results.length - failed.length;
    if (isDone > 0) toast(`${counted(isDone)} ${verb}`);
    clear();
    await done();
    if (failed.length > 0) await ask(`${counted(failed.length)} could not be ${verb}`, () => html`<${Table} label="Reasons" columns=${FAILED} rows=${failed} />`);
  }

  async function change() {
    const answer = await ask(`Change ${counted(rows.length)}`, (close) => html`<${ChangeForm} ...${{ ids, close }} />`);
    if (answer) await finish(answer, "changed");
  }

  async function remove() {
    const seconds = rows.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    if (!(await confirm({ title: `Delete ${counted(rows.length)}?`, text: `${duration(seconds)} in all.` }))) return;
    try {
      await finish(await post("/time-sessions/delete", { ids }), "deleted");
    } catch (error) {
      toastError(error);
    }
  }

  const isMany = rows.length > MOST;
  return html`<div class="bulk" role="region" aria-label="Chosen time">
    <strong>${counted(rows.length)} chosen</strong>
    ${isMany && html`<span class="muted">At most ${MOST} at once</span>`}
    <${Button} icon="edit" disabled=${isMany} onClick=${change}>Change<//>
    <${Button} icon="trash" kind="danger" disabled=${isMany} onClick=${remove}>Delete<//>
    <${Button} kind="quiet" onClick=${clear}>Choose none<//>
  </div>`;
}

/** What is left empty stays as it is in each of them. */
function ChangeForm({ ids, close }) {
  const kept = { billable: "As it is", description: "As it is", tags: "As they are", projectId: "As it is", taskId: "As it is" };
  const fields = (inputs) => workFields(inputs).map((field) => ({ ...field, placeholder: kept[field.name] }));
  async function submit({ billable, ...values }, key) {
    const changes = { ...values, ...(billable ? { billable: billable === "true" } : {}) };
    try {
      close(await patch("/time-sessions", { ids, changes }, { key }));
    } catch (error) {
      // The fields of the changes are those of the form.
      const errors = Object.entries(error.fieldErrors ?? {}).map(([path, messages]) => [path.replace(/^changes\./, ""), messages]);
      if (error.details) error.details = { fieldErrors: Object.fromEntries(errors) };
      throw error;
    }
  }
  return html`<${Form} ...${{ fields, submit }} action="Change" cancel=${() => close(undefined)}>
    <${Notice} icon="edit">What you leave empty stays as it is in each of them.<//>
  <//>`;
}
