/** Projects: their form, their state as a badge, and tracked time against the estimate. */

import { post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form } from "../lib/form.js";
import { duration, number, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { forgetName, nameBy } from "../lib/time_fields.js";
import { Badge, Loaded } from "../lib/ui.js";

const COLORS = ["blue", "green", "orange", "purple", "red", "teal", "yellow", "gray"];
const choices = (...values) => values.map((value) => ({ value, label: words(value) }));

const FIELDS = [
  { name: "name", label: "Name", isRequired: true, isFirst: true, maxLength: 255 },
  { name: "clientId", label: "Client", type: "reference", path: "/clients" },
  { name: "color", label: "Color", type: "select", isAlwaysSet: true, isHalf: true, initial: "blue", options: choices(...COLORS) },
  { name: "estimatedMinutes", label: "Estimate (hours)", type: "number", show: (minutes) => duration(minutes * 60), min: 0, step: 0.25, isHalf: true },
  { name: "budget", label: "Budget", type: "money", isHalf: true },
  {
    name: "budgetPeriod",
    label: "Budget and estimate are for",
    type: "select",
    isAlwaysSet: true,
    isHalf: true,
    initial: "TOTAL",
    options: [
      { value: "TOTAL", label: "The whole project" },
      { value: "MONTHLY", label: "Each month" },
    ],
  },
  { name: "isBillable", label: "Time is billable unless it says otherwise", type: "checkbox", initial: true },
];

/** `id`: the project to change, or none for a new one. `close(project)` gets it as it is stored. */
export function ProjectForm({ id, close }) {
  const loaded = useResource(async () => {
    const current = id ? await read(`/projects/${id}`) : null;
    return { current, client: current && (await nameBy("clients", current.data.clientId)) };
  }, [id]);
  async function submit(values, key) {
    const minutes = values.estimatedMinutes;
    const body = { ...values, ...(minutes ? { estimatedMinutes: Math.round(minutes * 60) } : {}) };
    const { current } = loaded.data;
    const saved = id ? await patchOver(`/projects/${id}`, body, current.etag, { key, fields: FIELDS }) : await post("/projects", body, { key });
    if (!saved) return;
    forgetName("projects", saved.id);
    close(saved);
  }
  return html`<${Loaded} resource=${loaded}>
    ${({ current, client }) => html`<${Form}
      fields=${FIELDS}
      initial=${current ? initialOf(current.data, client) : {}}
      isPatch=${Boolean(id)}
      action=${id ? "Save" : "Create"}
      cancel=${() => close()}
      submit=${submit}
    />`}
  <//>`;
}

const initialOf = (project, client) => ({
  ...project,
  clientId: project.clientId && { id: project.clientId, name: client },
  estimatedMinutes: project.estimatedMinutes && project.estimatedMinutes / 60,
});

export const ProjectName = ({ project }) => html`<span class=${`dot dot-${project.color}`} aria-hidden="true" />${project.name}`;

export const ProjectState = ({ status }) => html`<${Badge} tone=${status === "ACTIVE" ? "good" : undefined}>${words(status)}<//>`;

/** Tracked hours, as a part of the estimate if there is one for the whole project. */
export function Tracked({ project }) {
  const { trackedSeconds, estimatedMinutes, budgetPeriod, name } = project;
  if (!estimatedMinutes || budgetPeriod !== "TOTAL") return duration(trackedSeconds);
  const part = (trackedSeconds / 60 / estimatedMinutes) * 100;
  return html`<span class=${part >= 80 ? "meter meter-warning" : "meter"}>
    <span>${duration(trackedSeconds)} of ${duration(estimatedMinutes * 60)} (${number(part, 0)} %)</span>
    <progress max="100" value=${Math.min(part, 100)} aria-label=${`Tracked of ${name}'s estimate`} />
  </span>`;
}
