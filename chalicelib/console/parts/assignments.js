/** Assignments: their state, and the dialogs that create, change, end, cancel and delete one. */

import { del, get, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { hours, instant, money, words } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { may } from "../lib/session.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Notice } from "../lib/ui.js";
import { instantOf } from "../lib/zones.js";

const CHECK_DELAY_MILLISECONDS = 300;
const TONES = { active: "good", scheduled: "accent", cancelled: "bad" };
export const STATUSES = ["scheduled", "active", "completed", "cancelled"].map((value) => ({ value, label: words(value) }));

export const Status = ({ status }) => html`<${Badge} tone=${TONES[status]}>${words(status)}<//>`;

const WORKER = { name: "workerId", label: "Worker", type: "reference", path: "/workers", describe: ({ phone }) => phone, isRequired: true };
const POSITION = {
  name: "positionId",
  label: "Position",
  type: "reference",
  path: "/positions",
  query: { isActive: true },
  describe: ({ workLocation }) => workLocation.name,
  isRequired: true,
};
const START = { name: "startAt", label: "Start", type: "datetime", isRequired: true, isHalf: true };
const END = { name: "endAt", label: "End", type: "datetime", isHalf: true, hint: "Empty: without an end for now." };

const title = ({ worker, position }) => `${nameOf(worker)}, ${position.name}`;

/** Ask for a new assignment; `initial` may name its `workerId` (a row of the list), `startAt` and so on. */
export function createAssignment(done, initial = {}) {
  return ask("New assignment", (close) => {
    const submit = async (values, key) => {
      const assignment = await post("/assignments", values, { key });
      close();
      done();
      toast(`${nameOf(assignment.worker)} is assigned`);
      if (assignment.warnings.length > 0) await showWarnings(assignment, done);
    };
    return html`<${Form} fields=${[WORKER, POSITION, START, END]} initial=${initial} submit=${submit} cancel=${() => close()} action="Assign">
      ${(inputs) => html`<${Availability} worker=${inputs.workerId} start=${inputs.startAt} end=${inputs.endAt} />`}
    <//>`;
  });
}

/** Whether the worker is free at the time in the form, a moment after each change. */
function Availability({ worker, start, end }) {
  const [answer, setAnswer] = useState(null);
  const at = start && instantOf(start);
  const until = end && instantOf(end);
  const isComplete = Boolean(worker && at) && (!until || until > at);
  useEffect(() => {
    setAnswer(null);
    if (!isComplete) return undefined;
    const controller = new AbortController();
    const look = () => get(`/workers/${worker.id}/availability`, { at, until }, { signal: controller.signal }).then(setAnswer, () => undefined);
    const timer = setTimeout(look, CHECK_DELAY_MILLISECONDS);
    return () => (clearTimeout(timer), controller.abort());
  }, [worker?.id, at, until]);
  if (answer === null) return null;
  if (answer.available) return html`<${Notice} tone="good">${nameOf(worker)} is free at that time.<//>`;
  return html`<${Notice} tone="warning">
    ${nameOf(worker)} is assigned at that time; you can assign them all the same.
    <ul>${answer.assignments.slice(0, 5).map((row) => html`<li key=${row.id}>${row.position.name}: ${period(row)}</li>`)}</ul>
  <//>`;
}

export const period = ({ startAt, endAt }) => `${instant(startAt)} – ${endAt ? instant(endAt) : "no end yet"}`;

/** What the API warns of after an assignment is stored; it may be taken back, as warnings never block. */
function showWarnings(assignment, done) {
  return ask("Stored, with warnings", (close) => {
    const undo = async () => {
      close();
      await cancelAssignment(assignment, done, { isAsked: true });
    };
    return html`<div class="stack">
        ${assignment.warnings.map(
          ({ code, message, count, assignments }) => html`<${Notice} key=${code} tone="warning">
            ${message.charAt(0).toUpperCase() + message.slice(1)}${count > 1 && ` (${count} assignments)`}.
            <ul>${assignments.slice(0, 5).map((clash) => html`<li key=${clash.id}>${period(clash)}</li>`)}</ul>
          <//>`,
        )}
      </div>
      <footer class="dialog-foot">
        ${assignment.status === "scheduled" && html`<${Button} kind="danger" onClick=${undo}>Cancel the assignment<//>`}
        <${Button} kind="primary" onClick=${() => close()}>Keep it<//>
      </footer>`;
  });
}

/** Change one that is scheduled, or the end of one that is active. */
export async function editAssignment({ id }, done) {
  const path = `/assignments/${id}`;
  let current;
  try {
    current = await read(path);
  } catch (error) {
    return toastError(error);
  }
  const fields = current.data.status === "active" ? [END] : [POSITION, START, END];
  return ask(`Edit the assignment of ${nameOf(current.data.worker)}`, (close) => {
    const submit = async (values, key) => {
      const stored = await patchOver(path, values, current.etag, { key, fields });
      if (!stored) return;
      close();
      done();
      toast("The assignment is saved");
      if (stored.warnings?.length > 0) await showWarnings(stored, done);
    };
    const initial = { ...current.data, positionId: current.data.position };
    return html`<${Form} fields=${fields} initial=${initial} isPatch submit=${submit} cancel=${() => close()} />`;
  });
}

export function endAssignment(assignment, done) {
  return ask(`End ${title(assignment)}?`, (close) => {
    const submit = async (values, key) => {
      await post(`/assignments/${assignment.id}/end`, values, { key });
      close();
      done();
      toast(`The assignment of ${nameOf(assignment.worker)} has an end`);
    };
    const fields = [{ ...END, isHalf: false, hint: "Empty: now." }];
    return html`<${Form} fields=${fields} submit=${submit} cancel=${() => close()} action="End it" />`;
  });
}

export async function cancelAssignment(assignment, done, { isAsked = false } = {}) {
  const question = { title: "Cancel this assignment?", text: `${title(assignment)}: ${period(assignment)}.`, action: "Cancel it" };
  if (!isAsked && !(await confirm(question))) return;
  try {
    await post(`/assignments/${assignment.id}/cancel`);
    toast("The assignment is cancelled");
    done();
  } catch (error) {
    toastError(error);
  }
}

export async function deleteAssignment(assignment, done) {
  const text = `${title(assignment)}: ${period(assignment)}. Its hours leave all reports; the audit log keeps it.`;
  if (!(await confirm({ title: "Delete this assignment for good?", text }))) return;
  try {
    await del(`/assignments/${assignment.id}`);
    toast("The assignment is deleted");
    done();
  } catch (error) {
    toastError(error);
  }
}

/** What the caller may do with an assignment in its state, as entries of a menu. */
export function actionsOn(assignment, done) {
  const { status } = assignment;
  const mayWrite = may("assignments:write");
  const entry = (label, icon, act, isDanger) => ({ label, icon, isDanger, onClick: () => act(assignment, done) });
  return [
    mayWrite && (status === "scheduled" || status === "active") && entry("Edit", "edit", editAssignment),
    mayWrite && status === "active" && entry("End", "stop", endAssignment),
    mayWrite && status === "scheduled" && entry("Cancel", "x", cancelAssignment, true),
    may("assignments:delete") && entry("Delete", "trash", deleteAssignment, true),
  ].filter(Boolean);
}

/** Everything about one, with what can be done about it. */
export function showAssignment(assignment, done) {
  const { worker, position, createdBy, endedBy, cancelledBy } = assignment;
  const lines = [
    ["Status", html`<${Status} status=${assignment.status} />`],
    ["Phone", worker.phone],
    ["Position", position.name],
    ["Work location", position.workLocation.name],
    ["Client", position.workLocation.client.name],
    ["Start", instant(assignment.startAt)],
    ["End", assignment.endAt ? instant(assignment.endAt) : "No end yet"],
    ["Worked", hours(assignment.totalHours)],
    ["Planned", hours(assignment.scheduledHours)],
    assignment.billed && ["Billed", money(assignment.billed)],
    assignment.paid && ["Paid", money(assignment.paid)],
    ["Created by", nameOf(createdBy)],
    endedBy && ["Ended by", nameOf(endedBy)],
    cancelledBy && ["Cancelled by", nameOf(cancelledBy)],
  ].filter(Boolean);
  return ask(
    nameOf(worker),
    (close) => html`<dl class="details">
        ${lines.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}
      </dl>
      <footer class="dialog-foot">
        ${actionsOn(assignment, done).map(
          ({ label, icon, isDanger, onClick }) => html`<${Button} key=${label} icon=${icon} kind=${isDanger && "danger"} onClick=${() => (close(), onClick())}>${label}<//>`,
        )}
      </footer>`,
  );
}
