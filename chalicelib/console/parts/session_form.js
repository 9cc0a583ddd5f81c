/** The form of a time session: what for, from when to when, and its pauses. */

import { post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form } from "../lib/form.js";
import { duration, time } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { may } from "../lib/session.js";
import { LABELS, workFields, workOf } from "../lib/time_fields.js";
import { toast } from "../lib/toast.js";
import { Button } from "../lib/ui.js";
import { exactInstant, wallTimeOf } from "../lib/zones.js";

export const PEOPLE = { name: "userId", label: "Person", type: "reference", path: "/users" };

const SPANS = [
  { name: "startAt", label: LABELS.startAt, type: "datetime", isRequired: true, isHalf: true },
  { name: "endAt", label: LABELS.endAt, type: "datetime", isRequired: true, isHalf: true },
];

const PAUSES = {
  name: "pauses",
  label: "Pauses",
  control: PausesInput,
  toInput: (pauses) => (pauses ?? []).map((pause) => ({ from: wallTimeOf(pause.startAt), to: wallTimeOf(pause.endAt), stored: pause })),
  toValue: (rows) => {
    const pauses = rows.map(({ from, to, stored }) => ({ startAt: exactInstant(from, stored?.startAt), endAt: exactInstant(to, stored?.endAt) }));
    return pauses.every(({ startAt, endAt }) => startAt && endAt) ? pauses : null;
  },
  show: (pauses) => pauses.map(({ startAt, endAt }) => `${time(startAt)} – ${time(endAt)}`).join(", ") || "–",
};

function PausesInput({ value, change, inputs }) {
  const set = (index, name) => (event) => change(value.map((row, at) => (at === index ? { ...row, [name]: event.currentTarget.value } : row)));
  const add = () => change([...value, { from: inputs.startAt, to: inputs.startAt }]);
  return html`<div class="pauses">
    ${value.map(
      (row, index) => html`<div class="pause" key=${index}>
        <input type="datetime-local" name=${`pause-${index}-from`} aria-label=${`Pause ${index + 1} from`} value=${row.from} onInput=${set(index, "from")} />
        <input type="datetime-local" name=${`pause-${index}-to`} aria-label=${`Pause ${index + 1} to`} value=${row.to} onInput=${set(index, "to")} />
        <${Button} kind="quiet" icon="trash" label=${`Remove pause ${index + 1}`} onClick=${() => change(value.filter((_, at) => at !== index))} />
      </div>`,
    )}
    <${Button} kind="quiet" icon="plus" onClick=${add}>Add a pause<//>
  </div>`;
}

/** `session`: the one to change, with the names of its project and task; null for a new one. */
export function SessionForm({ session, close }) {
  const loaded = useResource(async () => session && read(`/time-sessions/${session.id}`), [session?.id]);
  const isNew = !session;
  const person = isNew && may("time-of-others:manage") && { ...PEOPLE, hint: "By default you" };
  const fields = (inputs) => [...workFields(inputs, { isNew }), ...SPANS, PAUSES, person].filter(Boolean);
  async function submit(values, key) {
    const body = workOf(values);
    const path = `/time-sessions/${session?.id}`;
    const saved = isNew ? await post("/time-sessions", body, { key }) : await patchOver(path, body, loaded.data.etag, { key, fields: fields(values) });
    if (!saved) return;
    const isBeside = saved.warnings?.length > 0;
    toast(`${duration(saved.durationSeconds)} ${isNew ? "recorded" : "saved"}${isBeside ? ", beside other time" : ""}`);
    close(true);
  }
  if (!isNew && !loaded.data) return null;
  const initial = isNew
    ? { startAt: Date.now() - 3_600_000, endAt: Date.now() }
    : {
        ...loaded.data.data,
        projectId: session.projectId && { id: session.projectId, name: session.project },
        taskId: session.taskId && { id: session.taskId, name: session.task },
      };
  return html`<${Form} ...${{ fields, initial, submit }} isPatch=${!isNew} cancel=${() => close(false)} action=${isNew ? "Record" : "Save"} />`;
}
