/** The editor of a metric: its query from the catalogue, checked and calculated while it is made. */

import { get, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form } from "../lib/form.js";
import { instant, number, percent, words } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { inputsOf, queryFields, queryOf } from "../parts/metric_query.js";
import { useResource } from "../lib/resource.js";
import { go } from "../lib/router.js";
import { shownValue } from "../lib/tiles.js";
import { toast } from "../lib/toast.js";
import { Loaded, Notice, Page } from "../lib/ui.js";

const CHECK_DELAY_MILLISECONDS = 350;
const QUERY_INPUTS = ["mode", "json", "source", "measure", "period", "groupBy", "whereField", "whereOp", "whereValue"];
const choices = (...values) => values.map((value) => ({ value, label: words(value) }));
const CATEGORIES = choices("FINANCIAL", "OPERATIONAL", "PRODUCTIVITY", "SALES");
const CHARTS = choices("area", "bar", "gauge", "line", "number", "pie");

const HEAD = [
  { name: "name", label: "Name", isRequired: true, isHalf: true, isFirst: true, maxLength: 100 },
  { name: "category", label: "Category", type: "select", isAlwaysSet: true, isHalf: true, initial: "OPERATIONAL", options: CATEGORIES },
  { name: "description", label: "Description", maxLength: 500 },
];
const LOOK = [
  { name: "format", label: "Shown as", type: "select", isAlwaysSet: true, isHalf: true, initial: "number", options: choices("number", "currency", "percentage") },
  { name: "unit", label: "Unit", isHalf: true, placeholder: "h", maxLength: 20 },
  { name: "chartType", label: "Drawn as", type: "select", isHalf: true, placeholder: "By its data", options: CHARTS },
  { name: "direction", label: "Better is", type: "select", isAlwaysSet: true, isHalf: true, initial: "up", options: [{ value: "up", label: "More" }, { value: "down", label: "Less" }] },
  { name: "targetValue", label: "Target", type: "number", step: "any", isHalf: true },
  { name: "warningThreshold", label: "Warning at", type: "number", step: "any", isHalf: true },
  { name: "criticalThreshold", label: "Critical at", type: "number", step: "any", isHalf: true },
  { name: "refreshRate", label: "Refreshed every (seconds)", type: "number", isHalf: true, isRequired: true, initial: 300, min: 60 },
];

export default function MetricEditor({ id }) {
  const loaded = useResource(
    async (signal) => {
      const catalogue = await get("/metrics/catalogue", undefined, { signal });
      return { catalogue, current: id && (await read(`/metrics/${id}`)) };
    },
    [id],
  );
  return html`<${Page} title=${id ? "Edit metric" : "New metric"}>
    <section class="card card-form">
      <${Loaded} resource=${loaded}>${(data) => html`<${MetricForm} ...${data} id=${id} />`}<//>
    </section>
  <//>`;
}

function MetricForm({ catalogue, current, id }) {
  async function submit(values, key) {
    const body = { ...values, query: queryOf(catalogue, values) };
    for (const name of QUERY_INPUTS) delete body[name];
    const path = `/metrics/${id}`;
    const stored = id ? await patchOver(path, body, current.etag, { key, fields: [...HEAD, ...LOOK] }) : await post("/metrics", body, { key });
    if (!stored) return;
    const { metrics } = await post("/metrics/calculate", { metricIds: [stored.id] });
    toast(`${stored.name} is ${shownValue(metrics[0].value, metrics[0])}`);
    go("/metrics");
  }
  return html`<${Form}
    fields=${(inputs) => [...HEAD, ...queryFields(catalogue, inputs), ...LOOK]}
    initial=${current ? { ...current.data, ...inputsOf(current.data.query) } : {}}
    isPatch=${Boolean(id)}
    action=${id ? "Save" : "Create"}
    cancel=${() => go("/metrics")}
    submit=${submit}
  >
    ${(inputs) => html`<${QueryCheck} query=${queryOf(catalogue, inputs)} inputs=${inputs} />`}
  <//>`;
}

const UNITS = { number: "a number", hours: "in hours", money: "an amount of money", percent: "a percentage" };

/** Whether the query is valid, and its value by now, as the API says, a moment after each change. */
function QueryCheck({ query, inputs }) {
  const text = JSON.stringify(query);
  const [check, setCheck] = useState(null);
  useEffect(() => {
    if (query === null) return setCheck(null);
    const controller = new AbortController();
    const ask = () => post("/metrics/validate", { query, calculate: true }, { signal: controller.signal }).then(setCheck, () => undefined);
    const timer = setTimeout(ask, CHECK_DELAY_MILLISECONDS);
    return () => (clearTimeout(timer), controller.abort());
  }, [text]);
  if (query === null) return html`<${Notice} icon="edit">${inputs.mode === "json" ? "This is no JSON yet." : "Complete the condition."}<//>`;
  if (check === null) return html`<${Notice} icon="clock">Checking the query…<//>`;
  if (check.isValid) {
    return html`<${Notice} tone="good">The query is valid${check.unit && `; its value is ${UNITS[check.unit]}`}.<//>
      <${Preview} result=${check.result} format=${inputs.format} unit=${inputs.unit} />`;
  }
  return html`<${Notice} tone="warning">
    <ul>${check.errors.map(({ pointer, message }) => html`<li><code>${pointer || "/"}</code> ${message}</li>`)}</ul>
  <//>`;
}

const GROUPS_SHOWN = 6;

/** The value that the metric would have, before it is saved. */
function Preview({ result, format, unit }) {
  if (result.error) return html`<${Notice} tone="warning">It cannot be calculated: ${result.error}.<//>`;
  const { value, previous, groups, asOf } = result;
  const shown = (amount) => shownValue(amount, { format, unit: unit || result.unit });
  const change = value !== null && previous ? ((value - previous) / Math.abs(previous)) * 100 : null;
  const rest = (groups?.length ?? 0) - GROUPS_SHOWN;
  return html`<section class="preview" aria-label="Preview">
    <h2>Preview</h2>
    <p class="metric-value">${shown(value)}</p>
    <p class="muted">
      ${value === null ? "No data in this period yet" : previous === null ? "Nothing to compare it with" : `${shown(previous)} before`}${change !== null &&
      `, ${percent(Math.abs(change))} ${change < 0 ? "less" : "more"} now`}; as of ${instant(asOf)}
    </p>
    ${groups?.length > 0 &&
    html`<table class="table table-compact" aria-label="By group">
      <tbody>
        ${groups.slice(0, GROUPS_SHOWN).map((group) => html`<tr><th scope="row">${group.name}</th><td class="is-number">${shown(group.value)}</td></tr>`)}
      </tbody>
    </table>`}
    ${rest > 0 && html`<p class="muted">And ${number(rest)} more.</p>`}
  </section>`;
}
