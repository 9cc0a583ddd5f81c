/** Workers, with the hours that they worked. */

import { EntityPage } from "../parts/entity_page.js";
import { SelectFilter } from "../parts/filters.js";
import { askRates } from "../parts/rates.js";
import { hours, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { link } from "../lib/router.js";
import { may } from "../lib/session.js";

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true, value: nameOf },
  { name: "phone", label: "Phone", isShort: true },
  { name: "assignedLocations", label: "Works at", value: ({ assignedLocations }) => assignedLocations.join(", ") || "–" },
  { name: "activeAssignments", label: "Active", isNumber: true, value: ({ activeAssignments }) => number(activeAssignments) },
  { name: "totalHours", label: "Worked", isNumber: true, value: ({ totalHours }) => hours(totalHours) },
  { name: "scheduledHours", label: "Planned", isNumber: true, value: ({ scheduledHours }) => hours(scheduledHours) },
];
const FIELDS = [
  { name: "firstName", label: "First name", isRequired: true, isHalf: true, isFirst: true, maxLength: 100 },
  { name: "lastName", label: "Last name", isRequired: true, isHalf: true, maxLength: 100 },
  { name: "phone", label: "Phone", type: "tel", isRequired: true, hint: "Workers are told apart by it." },
];
const SHOWN = [{ value: "true", label: "With deleted ones" }];

const importing = () => may("workers:write") && html`<a class="button" href=${link("/workers/import")}>Import</a>`;

const more = (worker) => [
  { label: "Rates", icon: "coins", onClick: () => askRates(nameOf(worker), `/workers/${worker.id}/rates`, "They are what the worker is paid for an hour.") },
];

export default function Workers({ query }) {
  return html`<${EntityPage}
    title="Workers"
    subtitle="Who works for you, and how much."
    path="/workers"
    noun="worker"
    icon="users"
    permission="workers:write"
    columns=${COLUMNS}
    fields=${FIELDS}
    query=${{ includeDeleted: query.includeDeleted }}
    filters=${html`<${SelectFilter} name="includeDeleted" label="Show" options=${SHOWN} all="Current ones" />`}
    extra=${importing}
    more=${may("rates:manage") ? more : undefined}
    href=${(worker) => link("/assignments", { workerId: worker.id })}
    empty="Add one by one, or many at once from a file."
  />`;
}
