/** Fields that timers and time sessions have in common, and what their forms make of them. */

import { get, getAll } from "./api.js";
import { nameOf } from "./reference.js";
import { may } from "./session.js";

const MOST_TASKS = 8;

export const LABELS = {
  projectId: "Project",
  taskId: "Task",
  description: "What for",
  tags: "Tags",
  billable: "Billable",
  startAt: "Start",
  endAt: "End",
};

/** A project, by part of its name. */
export const projectField = (more) => ({
  name: "projectId",
  label: LABELS.projectId,
  type: "reference",
  path: "/projects",
  query: { status: "ACTIVE" },
  ...more,
});

/** Tasks of a project that are not done, by part of their title: the API lists them, it does not search them. */
async function tasksOf(project, text) {
  const tasks = await getAll(`/projects/${project.id}/tasks`, { limit: 100 });
  const isMatch = ({ title, status }) => status !== "DONE" && title.toLowerCase().includes(text.toLowerCase());
  return tasks.filter(isMatch).slice(0, MOST_TASKS);
}

/** Fields of what time is for. `inputs` are those of the form: a task is one of the chosen project. */
export function workFields(inputs, { isNew = true } = {}) {
  const project = inputs.projectId;
  return [
    { name: "description", label: LABELS.description, isFirst: true, maxLength: 2000 },
    projectField(),
    project && { name: "taskId", label: LABELS.taskId, type: "reference", path: "/tasks", load: (text) => tasksOf(project, text) },
    { name: "tags", label: LABELS.tags, type: "list", isHalf: true, hint: "Separated by commas", placeholder: "Planning, Night" },
    {
      name: "billable",
      label: LABELS.billable,
      type: "select",
      isHalf: true,
      isAlwaysSet: !isNew,
      placeholder: "As the project",
      options: [
        { value: "true", label: "Yes" },
        { value: "false", label: "No" },
      ],
    },
  ].filter(Boolean);
}

/** Return the body of a request for values of such a form. */
export function workOf({ billable, tags, ...values }) {
  // Without a project there is no task, and its field is not shown.
  const task = values.projectId === null ? { taskId: null } : {};
  return { ...values, ...task, tags: tags ?? [], ...(billable ? { billable: billable === "true" } : {}) };
}

const named = { clients: new Map(), projects: new Map(), tasks: new Map(), users: new Map() };

/** Return the entity's name, which is asked for once; null for none. */
export function nameBy(kind, id) {
  if (!id) return Promise.resolve(null);
  const known = named[kind];
  if (!known.has(id)) {
    const loading = get(`/${kind}/${id}`).then((row) => nameOf(row.user ?? row));
    known.set(id, loading);
    loading.catch(() => known.delete(id));
  }
  return known.get(id);
}

/** Return the rows of time with `project`, `task` and `user`, their names. */
export const withNames = (rows) =>
  Promise.all(
    rows.map(async (row) => {
      const [project, task] = await Promise.all([nameBy("projects", row.projectId), nameBy("tasks", row.taskId)]);
      return { ...row, project, task, user: await userName(row.userId) };
    }),
  );

/** Name of another user, for those who may read users. */
export const userName = (id) => (may("users:manage") ? nameBy("users", id) : Promise.resolve(null));

/** Forget a name that may have changed. */
export const forgetName = (kind, id) => named[kind].delete(id);
