/** Projects with their tracked time and tasks. */

import { patch } from "../lib/api.js";
import { ask } from "../lib/dialog.js";
import { html } from "../lib/html.js";
import { ProjectForm, ProjectName, ProjectState, Tracked } from "../parts/projects.js";
import { useResource } from "../lib/resource.js";
import { go, link, setQuery } from "../lib/router.js";
import { may } from "../lib/session.js";
import { CursorList, Search, Table, useCursorList } from "../lib/table.js";
import { nameBy } from "../lib/time_fields.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, EmptyState, Menu, Page } from "../lib/ui.js";

const STATES = [
  ["ACTIVE", "Active"],
  ["ARCHIVED", "Archived"],
];
const COLUMNS = [
  { name: "name", label: "Project", value: (project) => html`<${ProjectName} project=${project} />` },
  { name: "client", label: "Client" },
  { name: "tasks", label: "Open tasks", isNumber: true, value: ({ taskCounts }) => taskCounts.TODO + taskCounts.IN_PROGRESS },
  { name: "tracked", label: "Tracked", value: (project) => html`<${Tracked} project=${project} />` },
  { name: "status", label: "Status", value: ({ status }) => html`<${ProjectState} status=${status} />` },
];

export default function Projects({ query }) {
  const status = query.status || "ACTIVE";
  const list = useCursorList("/projects", { status, search: query.search });
  const withClients = useResource(
    () => Promise.all((list.rows ?? []).map(async (row) => ({ ...row, client: await nameBy("clients", row.clientId) }))),
    [list.rows],
  );
  const mayWrite = may("projects:write");

  async function create() {
    const project = await ask("New project", (close) => html`<${ProjectForm} close=${close} />`);
    if (project) go(`/projects/${project.id}`);
  }

  async function edit({ id }) {
    if (await ask("Change project", (close) => html`<${ProjectForm} ...${{ id, close }} />`)) await list.reload();
  }

  async function move(project, next) {
    try {
      await patch(`/projects/${project.id}`, { status: next });
      const undo = () => move(project, next === "ACTIVE" ? "ARCHIVED" : "ACTIVE");
      toast(`${project.name} is ${next === "ACTIVE" ? "active again" : "archived"}`, { action: { label: "Undo", onClick: undo } });
      await list.reload();
    } catch (error) {
      toastError(error);
    }
  }

  const actions = (project) =>
    html`<${Menu}
      label=${`Change ${project.name}`}
      items=${[
        { label: "Edit", icon: "edit", onClick: () => edit(project) },
        project.status === "ACTIVE"
          ? { label: "Archive", icon: "archive", onClick: () => move(project, "ARCHIVED") }
          : { label: "Make active", icon: "refresh", onClick: () => move(project, "ACTIVE") },
      ]}
    />`;
  const tabs = html`<div class="tabs" role="group" aria-label="Show">
    ${STATES.map(
      ([state, label]) => html`<button type="button" aria-pressed=${status === state} onClick=${() => setQuery({ status: state })}>${label}</button>`,
    )}
  </div>`;
  const add = mayWrite && html`<${Button} kind="primary" icon="plus" onClick=${create}>New project<//>`;
  const empty = query.search
    ? html`<${EmptyState} icon="search" title=${`Nothing matches “${query.search}”`} />`
    : html`<${EmptyState} icon="folder" title=${status === "ACTIVE" ? "No projects yet" : "Nothing is archived"} action=${status === "ACTIVE" && add}>
        ${status === "ACTIVE" ? "Time is tracked on projects and their tasks." : "Archived projects keep their time; no more is tracked on them."}
      <//>`;
  return html`<${Page} title="Projects" subtitle="What time is tracked for." actions=${html`${tabs}${add}`}>
    <section class="list">
      <div class="toolbar"><${Search} value=${query.search || ""} label="Search projects" /></div>
      <${CursorList} list=${list} empty=${empty}>
        <${Table}
          label="Projects"
          columns=${COLUMNS}
          rows=${withClients.data ?? []}
          href=${(project) => link(`/projects/${project.id}`)}
          actions=${mayWrite && actions}
          isBusy=${list.isLoading}
        />
      <//>
    </section>
  <//>`;
}
