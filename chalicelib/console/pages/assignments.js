/** Assignments of workers to positions, latest start first. */

import { actionsOn, createAssignment, showAssignment, Status, STATUSES } from "../parts/assignments.js";
import { DayFilter, rangeOf, ReferenceFilter, SelectFilter } from "../parts/filters.js";
import { hours, instant } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { link } from "../lib/router.js";
import { may } from "../lib/session.js";
import { PageTable } from "../lib/table.js";
import { Button, EmptyState, Menu, Page } from "../lib/ui.js";

const Place = ({ position }) => html`${position.name}
  <p class="muted cell-note">${position.workLocation.name}, ${position.workLocation.client.name}</p>`;

const COLUMNS = [
  { name: "worker", label: "Worker", value: ({ worker }) => nameOf(worker) },
  { name: "position", label: "Position", value: (row) => html`<${Place} position=${row.position} />` },
  { name: "startAt", label: "Start", value: ({ startAt }) => instant(startAt) },
  { name: "endAt", label: "End", value: ({ endAt }) => (endAt ? instant(endAt) : "No end yet") },
  { name: "totalHours", label: "Worked", isNumber: true, value: ({ totalHours }) => (totalHours > 0 ? hours(totalHours) : "–") },
  { name: "status", label: "Status", value: ({ status }) => html`<${Status} status=${status} />` },
];

const LISTS = {
  workerId: ["All workers", "/workers"],
  positionId: ["All positions", "/positions"],
  clientId: ["All clients", "/clients"],
};

export const Views = ({ current }) => html`<nav class="tabs" aria-label="Views">
  <a href=${link("/assignments")} aria-current=${current === "list" ? "page" : undefined}>List</a>
  <a href=${link("/assignments/week")} aria-current=${current === "week" ? "page" : undefined}>Week</a>
</nav>`;

export default function Assignments({ query }) {
  const [version, setVersion] = useState(0);
  const reload = () => setVersion((before) => before + 1);
  const { workerId, positionId, clientId, status } = query;
  const chosen = { workerId, positionId, clientId, status, ...rangeOf(query) };
  const create = may("assignments:write") && html`<${Button} kind="primary" icon="plus" onClick=${() => createAssignment(reload)}>New assignment<//>`;
  const filters = html`${Object.entries(LISTS).map(
      ([name, [label, path]]) => html`<${ReferenceFilter} key=${name} name=${name} label=${label} path=${path} />`,
    )}
    <${SelectFilter} name="status" label="Status" options=${STATUSES} all="Any status" />
    <${DayFilter} name="from" label="From" />
    <${DayFilter} name="to" label="To" />`;
  const menu = (row) => {
    const items = [{ label: "Details", icon: "document", onClick: () => showAssignment(row, reload) }, ...actionsOn(row, reload)];
    return html`<${Menu} label=${`Actions for the assignment of ${nameOf(row.worker)}`} items=${items} />`;
  };
  const isFiltered = Object.values(chosen).some(Boolean);
  const empty = html`<${EmptyState} icon="calendar" title="No assignments yet" action=${create}>Assign a worker to a position to plan their work.<//>`;
  return html`<${Page} title="Assignments" subtitle="Who works where, and when." isWide actions=${html`<${Views} current="list" />${create}`}>
    <${PageTable}
      path="/assignments"
      label="Assignments"
      columns=${COLUMNS}
      query=${chosen}
      filters=${filters}
      actions=${menu}
      version=${version}
      empty=${!isFiltered && empty}
    />
  <//>`;
}
