/** Hourly rates, each from a day on: of positions and workers, and of tracked time. */

import { del, get, put } from "../lib/api.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { day, dayOf, formats, money } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { Table } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Loaded } from "../lib/ui.js";

/** The rates at `path`, the latest first, with a form for another one. `lead` says what they price. */
export function Rates({ path, lead }) {
  const loaded = useResource((signal) => get(path, undefined, { signal }), [path]);
  const [version, setVersion] = useState(0);

  async function set({ effectiveFrom, rate }, key) {
    await put(`${path}/${effectiveFrom}`, rate, { key });
    await loaded.reload();
    // An empty form for the next one.
    setVersion(version + 1);
    toast(`${money(rate)} an hour from ${day(effectiveFrom)} on`);
  }

  async function remove({ effectiveFrom, ...rate }) {
    const text = `${money(rate)} an hour from ${day(effectiveFrom)} on. The rate before it holds on, for past hours too.`;
    if (!(await confirm({ title: "Delete this rate?", text }))) return;
    try {
      await del(`${path}/${effectiveFrom}`);
      await loaded.reload();
    } catch (error) {
      toastError(error);
    }
  }

  const fields = [
    { name: "effectiveFrom", label: "From", type: "date", isRequired: true, isHalf: true, initial: dayOf() },
    { name: "rate", label: `An hour (${formats().currency})`, type: "money", isRequired: true, isHalf: true },
  ];
  const actions = (row) => html`<${Button} kind="quiet" icon="trash" label=${`Delete the rate from ${day(row.effectiveFrom)}`} onClick=${() => remove(row)} />`;
  return html`<div class="stack">
    <p class="muted">${lead} Hours before a rate's day keep the rate that they had.</p>
    <${Loaded} resource=${loaded} lines=${2}>
      ${({ rates }) => html`${rates.length === 0
          ? html`<p>No rate yet: these hours have no amount.</p>`
          : html`<${Table} label="Rates" rows=${latestFirst(rates)} columns=${COLUMNS} actions=${actions} />`}
        <${Form} key=${version} fields=${fields} submit=${set} action="Set the rate" />`}
    <//>
  </div>`;
}

const COLUMNS = [
  { name: "effectiveFrom", label: "From", value: ({ effectiveFrom, isCurrent }) => html`<span>${day(effectiveFrom)}${isCurrent && html` <${Badge} tone="good">current<//>`}</span>` },
  { name: "rate", label: "An hour", isNumber: true, value: (rate) => money(rate) },
];

/** Return the rates with the one that holds today marked. */
function latestFirst(rates) {
  const today = dayOf();
  const current = rates.filter(({ effectiveFrom }) => effectiveFrom <= today).at(-1);
  return rates.map((rate) => ({ ...rate, id: rate.effectiveFrom, isCurrent: rate === current })).reverse();
}

export const askRates = (title, path, lead) => ask(`Rates of ${title}`, () => html`<${Rates} ...${{ path, lead }} />`);
