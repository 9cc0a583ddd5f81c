/** Inputs beside a list that keep their choice in the address: `clientId=…`, `status=active`. */

import { get } from "../lib/api.js";
import { addDays, dayOf } from "../lib/format.js";
import { html, useId } from "../lib/html.js";
import { ReferenceInput } from "../lib/reference.js";
import { useResource } from "../lib/resource.js";
import { setQuery, useRoute } from "../lib/router.js";
import { instantOf } from "../lib/zones.js";

/** Change a filter: the list begins at its first page again. */
const choose = (name, value) => setQuery({ [name]: value || undefined, page: undefined });

/** One of some values. `options`: `{value, label}`; `all` is the label of no choice. */
export function SelectFilter({ name, label, options, all }) {
  const value = useRoute().query[name] || "";
  return html`<label class="filter">
    <span class="visually-hidden">${label}</span>
    <select class="input" value=${value} onChange=${(event) => choose(name, event.currentTarget.value)}>
      <option value="">${all}</option>
      ${options.map((option) => html`<option value=${option.value} selected=${option.value === value}>${option.label}</option>`)}
    </select>
  </label>`;
}

/** An entity by its name. `path` of its list, where it is also read by its id after a reload. */
export function ReferenceFilter({ name, label, path }) {
  const id = useRoute().query[name];
  const chosen = useResource((signal) => (id ? get(`${path}/${id}`, undefined, { signal }) : Promise.resolve(null)), [id]);
  const inputId = useId();
  const field = { path, label, placeholder: label };
  // While its name loads, an input without the entity would look like no choice.
  const value = id ? (chosen.data?.id === id ? chosen.data : { id, name: chosen.error ? "Not found" : "…" }) : null;
  return html`<div class="filter filter-reference">
    <label class="visually-hidden" for=${inputId}>${label}</label>
    <${ReferenceInput} key=${`${id} ${value?.name}`} field=${field} value=${value} change=${(row) => choose(name, row?.id)} attributes=${{ id: inputId, class: "input" }} />
  </div>`;
}

export function DayFilter({ name, label, value }) {
  const chosen = useRoute().query[name] ?? value ?? "";
  return html`<label class="filter filter-day">
    <span>${label}</span>
    <input class="input" type="date" value=${chosen} onChange=${(event) => choose(name, event.currentTarget.value)} />
  </label>`;
}

/** Return the instants of the days `from` to `to`, inclusive, in the organization's zone; absent ones are undefined. */
export const rangeOf = ({ from, to }) => ({
  from: from ? instantOf(`${from}T00:00`) : undefined,
  to: to ? instantOf(`${addDays(to, 1)}T00:00`) : undefined,
});

/** Return the days of the current month, as `{from, to}`. */
export function monthOf(day = dayOf()) {
  const next = addDays(`${day.slice(0, 7)}-28`, 4);
  return { from: `${day.slice(0, 7)}-01`, to: addDays(`${next.slice(0, 7)}-01`, -1) };
}
