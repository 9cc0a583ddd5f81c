/** Work locations of clients. */

import { EntityPage } from "../parts/entity_page.js";
import { ReferenceFilter } from "../parts/filters.js";
import { html } from "../lib/html.js";
import { link } from "../lib/router.js";

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true },
  { name: "client", label: "Client", value: ({ client }) => client.name },
  { name: "address", label: "Address" },
  { name: "phone", label: "Phone", isShort: true },
  { name: "timezone", label: "Time zone" },
];
const FIELDS = [
  { name: "clientId", label: "Client", type: "reference", path: "/clients", isRequired: true, isFixed: true },
  { name: "name", label: "Name", isRequired: true, maxLength: 255 },
  { name: "address", label: "Address", type: "textarea", maxLength: 500 },
  { name: "email", label: "E-mail", type: "email", isHalf: true },
  { name: "phone", label: "Phone", type: "tel", isHalf: true },
  { name: "timezone", label: "Time zone", placeholder: "Europe/Berlin", hint: "By default your organization's." },
];

export default function WorkLocations({ query }) {
  return html`<${EntityPage}
    title="Work locations"
    subtitle="Where the work is done."
    path="/work-locations"
    noun="work location"
    icon="pin"
    permission="work-locations:write"
    columns=${COLUMNS}
    fields=${FIELDS}
    query=${{ clientId: query.clientId }}
    filters=${html`<${ReferenceFilter} name="clientId" label="All clients" path="/clients" />`}
    href=${(location) => link("/positions", { workLocationId: location.id })}
    empty="Add the places of your clients; positions are created there."
  />`;
}
