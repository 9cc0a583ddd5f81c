/** Positions at work locations: what is to be done there, and by how many. */

import { EntityPage } from "../parts/entity_page.js";
import { ReferenceFilter, SelectFilter } from "../parts/filters.js";
import { askRates } from "../parts/rates.js";
import { number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { link } from "../lib/router.js";
import { may } from "../lib/session.js";
import { Badge } from "../lib/ui.js";

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true },
  { name: "workLocation", label: "Work location", value: ({ workLocation }) => workLocation.name },
  { name: "client", label: "Client", value: ({ workLocation }) => workLocation.client.name },
  { name: "headcount", label: "Headcount", isNumber: true, value: ({ headcount }) => number(headcount) },
  {
    name: "isActive",
    label: "Status",
    value: ({ isActive }) => html`<${Badge} tone=${isActive ? "good" : undefined}>${isActive ? "Open" : "Closed"}<//>`,
  },
];
const FIELDS = [
  {
    name: "workLocationId",
    label: "Work location",
    type: "reference",
    path: "/work-locations",
    describe: ({ client }) => client.name,
    isRequired: true,
    isFixed: true,
  },
  { name: "name", label: "Name", isRequired: true, maxLength: 255 },
  { name: "headcount", label: "Headcount", type: "number", min: 1, step: 1, initial: 1, isRequired: true, hint: "How many workers it takes at a time." },
  { name: "isActive", label: "Open for assignments", type: "checkbox", initial: true },
];
const STATES = [
  { value: "true", label: "Open" },
  { value: "false", label: "Closed" },
];

const more = (position) => [
  { label: "Rates", icon: "coins", onClick: () => askRates(position.name, `/positions/${position.id}/rates`, "They are what the client pays for an hour.") },
];

export default function Positions({ query }) {
  const { clientId, workLocationId, isActive } = query;
  return html`<${EntityPage}
    title="Positions"
    subtitle="What is to be done, where, and by how many."
    path="/positions"
    noun="position"
    icon="briefcase"
    permission="positions:write"
    columns=${COLUMNS}
    fields=${FIELDS}
    query=${{ clientId, workLocationId, isActive }}
    filters=${html`<${ReferenceFilter} name="clientId" label="All clients" path="/clients" />
      <${ReferenceFilter} name="workLocationId" label="All work locations" path="/work-locations" />
      <${SelectFilter} name="isActive" label="Status" options=${STATES} all="Open and closed" />`}
    more=${may("rates:manage") ? more : undefined}
    href=${(position) => link("/assignments", { positionId: position.id })}
    empty="A position is at a work location; workers are assigned to it."
  />`;
}
