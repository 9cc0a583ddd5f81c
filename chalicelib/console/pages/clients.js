/** Clients: whom the organization works for. */

import { EntityPage } from "../parts/entity_page.js";
import { SelectFilter } from "../parts/filters.js";
import { dateOf } from "../lib/format.js";
import { html } from "../lib/html.js";
import { link } from "../lib/router.js";

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true },
  { name: "email", label: "E-mail" },
  { name: "phone", label: "Phone", isShort: true },
  { name: "address", label: "Address" },
  { name: "createdAt", label: "Since", isSortable: true, isShort: true, value: (client) => dateOf(client.createdAt) },
];
const FIELDS = [
  { name: "name", label: "Name", isRequired: true, isFirst: true, maxLength: 255 },
  { name: "email", label: "E-mail", type: "email", isHalf: true },
  { name: "phone", label: "Phone", type: "tel", isHalf: true },
  { name: "address", label: "Address", type: "textarea", maxLength: 500 },
];
const SHOWN = [{ value: "true", label: "With deleted ones" }];

export default function Clients({ query }) {
  return html`<${EntityPage}
    title="Clients"
    subtitle="Companies that your workers are assigned to."
    path="/clients"
    noun="client"
    icon="building"
    permission="clients:write"
    columns=${COLUMNS}
    fields=${FIELDS}
    query=${{ includeDeleted: query.includeDeleted }}
    filters=${html`<${SelectFilter} name="includeDeleted" label="Show" options=${SHOWN} all="Current ones" />`}
    href=${(client) => link("/work-locations", { clientId: client.id })}
    empty="A client has work locations, and these have positions to fill."
  />`;
}
