/** One project: its figures, and its tasks with their status. */

import { del, get, patch, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { day, dayOf, duration, money, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Members } from "../parts/project_members.js";
import { askRates } from "../parts/rates.js";
import { ProjectForm, ProjectState, Tracked } from "../parts/projects.js";
import { nameOf } from "../lib/reference.js";
import { useResource } from "../lib/resource.js";
import { go } from "../lib/router.js";
import { may, useMe } from "../lib/session.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { forgetName, nameBy } from "../lib/time_fields.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Loaded, Menu, Page } from "../lib/ui.js";

const STATES = ["TODO", "IN_PROGRESS", "DONE"];
const TONES = { IN_PROGRESS: "accent", DONE: "good" };
const stateName = (state) => (state === "TODO" ? "To do" : words(state));
const choices = STATES.map((value) => ({ value, label: stateName(value) }));

export default function Project({ id }) {
  const me = useMe();
  const mayWrite = may("projects:write");
  const loaded = useResource(
    async (signal) => {
      const project = await get(`/projects/${id}`, undefined, { signal });
      const [client, members] = await Promise.all([
        nameBy("clients", project.clientId),
        mayWrite ? get(`/projects/${id}/members`, { limit: 100 }, { signal }) : { items: [] },
      ]);
      const people = new Map(members.items.map(({ user }) => [user.id, nameOf(user)]));
      return { project, client, people: people.set(me.user.id, me.profile.fullName) };
    },
    [id],
  );

  async function edit() {
    if (await ask("Change project", (close) => html`<${ProjectForm} ...${{ id, close }} />`)) await loaded.reload();
  }

  async function remove(project) {
    if (!(await confirm({ title: "Delete this project?", text: "A project with time cannot be deleted: archive it instead." }))) return;
    try {
      await del(`/projects/${id}`);
      toast(`${project.name} is deleted`);
      go("/projects", undefined, { isReplacing: true });
    } catch (error) {
      toastError(error);
    }
  }

  const rates = ({ name }) => askRates(name, `/projects/${id}/rates`, "They price time on this project, unless its member has a rate in it.");

  const project = loaded.data?.project;
  const items = [
    may("rates:manage") && { label: "Rates", icon: "coins", onClick: () => rates(project) },
    { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(project) },
  ];
  const actions =
    project &&
    mayWrite &&
    html`<${Button} icon="edit" onClick=${edit}>Edit<//>
      <${Menu} label="More about the project" items=${items} />`;
  return html`<${Page} title=${project?.name ?? "Project"} actions=${actions}>
    <${Loaded} resource=${loaded}>
      ${(data) => html`<${Facts} ...${data} />
        <${Tasks} ...${{ id, mayWrite }} people=${data.people} changed=${loaded.reload} />
        ${mayWrite && html`<${Members} project=${data.project} changed=${loaded.reload} />`}`}
    <//>
  <//>`;
}

function Facts({ project, client }) {
  const { budget, budgetPeriod, estimatedMinutes, status, isBillable } = project;
  const per = budgetPeriod === "MONTHLY" ? " a month" : "";
  return html`<dl class="figures card">
    <div><dt>Status</dt><dd><${ProjectState} status=${status} /></dd></div>
    <div><dt>Client</dt><dd>${client ?? "–"}</dd></div>
    <div><dt>Tracked</dt><dd><${Tracked} project=${project} /></dd></div>
    <div><dt>Estimate</dt><dd>${estimatedMinutes ? `${duration(estimatedMinutes * 60)}${per}` : "–"}</dd></div>
    <div><dt>Budget</dt><dd>${budget ? `${money(budget)}${per}` : "–"}</dd></div>
    <div><dt>Time is</dt><dd>${isBillable ? "billable" : "not billable"}</dd></div>
  </dl>`;
}

function Tasks({ id, people, mayWrite, changed }) {
  const list = useCursorList(`/projects/${id}/tasks`, {}, { limit: 100 });
  const today = dayOf();

  async function edit(task) {
    if (!(await ask(task ? "Change task" : "New task", (close) => html`<${TaskForm} ...${{ id, task, people, close }} />`))) return;
    await Promise.all([list.reload(), changed()]);
  }

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toastError(error);
      await list.reload();
    }
  }

  const move = (task, status) =>
    attempt(async () => {
      const saved = await patch(`/tasks/${task.id}`, { status });
      list.setRows((rows) => rows.map((row) => (row.id === task.id ? saved : row)));
    });

  const remove = (task) =>
    attempt(async () => {
      if (!(await confirm({ title: "Delete this task?", text: `${task.title}. One with time cannot be deleted.` }))) return;
      await del(`/tasks/${task.id}`);
      list.setRows((rows) => rows.filter((row) => row.id !== task.id));
      toast(`${task.title} is deleted`);
    });

  const state = (task) =>
    mayWrite
      ? html`<select
          class="inline-select"
          aria-label=${`Status of ${task.title}`}
          value=${task.status}
          onChange=${(event) => move(task, event.currentTarget.value)}
        >
          ${choices.map(({ value, label }) => html`<option value=${value} selected=${value === task.status}>${label}</option>`)}
        </select>`
      : html`<${Badge} tone=${TONES[task.status]}>${stateName(task.status)}<//>`;
  const due = ({ dueDate, status }) =>
    dueDate && dueDate < today && status !== "DONE" ? html`<span class="tone-bad">${day(dueDate)}, overdue</span>` : day(dueDate);
  const columns = [
    { name: "title", label: "Task", value: ({ title, description }) => html`<span>${title}</span>${description && html`<p class="muted cell-note">${description}</p>`}` },
    { name: "status", label: "Status", value: state },
    { name: "assignee", label: "Assigned to", value: ({ assigneeId }) => (assigneeId ? people.get(assigneeId) ?? "somebody else" : "–") },
    { name: "dueDate", label: "Due", value: due },
    { name: "estimate", label: "Estimate", isNumber: true, value: ({ estimatedMinutes }) => (estimatedMinutes ? duration(estimatedMinutes * 60) : "–") },
  ];
  const actions = (task) =>
    html`<${Menu}
      label=${`Change ${task.title}`}
      items=${[
        { label: "Edit", icon: "edit", onClick: () => edit(task) },
        { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(task) },
      ]}
    />`;
  const add = mayWrite && html`<${Button} icon="plus" onClick=${() => edit(null)}>New task<//>`;
  const empty = html`<${EmptyState} icon="check" title="No tasks yet">Tasks split a project, and time can be tracked on each.<//>`;
  return html`<div class="section-head"><h2>Tasks</h2>${add}</div>
    <${CursorList} list=${list} empty=${empty}>
      <${Table} label="Tasks" rows=${list.rows} columns=${columns} actions=${mayWrite && actions} isBusy=${list.isLoading} />
    <//>`;
}

function TaskForm({ id, task, people, close }) {
  const loaded = useResource(async () => task && read(`/tasks/${task.id}`), [task?.id]);
  const assignees = new Map(people);
  if (task?.assigneeId && !assignees.has(task.assigneeId)) assignees.set(task.assigneeId, "Somebody else");
  const fields = [
    { name: "title", label: "Title", isRequired: true, isFirst: true, maxLength: 255 },
    { name: "description", label: "Description", type: "textarea", maxLength: 5000 },
    { name: "status", label: "Status", type: "select", isAlwaysSet: true, isHalf: true, initial: "TODO", options: choices },
    {
      name: "assigneeId",
      label: "Assigned to",
      type: "select",
      isHalf: true,
      placeholder: "Nobody",
      options: [...assignees].map(([value, label]) => ({ value, label })),
    },
    { name: "dueDate", label: "Due", type: "date", isHalf: true },
    { name: "estimatedMinutes", label: "Estimate (minutes)", type: "number", min: 1, isHalf: true },
  ];
  async function submit(values, key) {
    const saved = task
      ? await patchOver(`/tasks/${task.id}`, values, loaded.data.etag, { key, fields })
      : await post(`/projects/${id}/tasks`, values, { key });
    if (!saved) return;
    forgetName("tasks", saved.id);
    close(saved);
  }
  if (task && !loaded.data) return null;
  return html`<${Form} ...${{ fields, submit }} initial=${loaded.data?.data ?? {}} isPatch=${Boolean(task)} cancel=${() => close()} action=${task ? "Save" : "Create"} />`;
}
