/** The hours report: hours and amounts by worker and work location, for a range of days. */

import { get } from "../lib/api.js";
import { DayFilter, monthOf, ReferenceFilter } from "../parts/filters.js";
import { dayRange, hours, instant, money, number } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { saveExport } from "../parts/save.js";
import { Table } from "../lib/table.js";
import { toastError } from "../lib/toast.js";
import { Button, EmptyState, Loaded, Page } from "../lib/ui.js";

const SHOWN_AT_FIRST = 100;

const Place = ({ row }) => html`${row.workLocationName}<p class="muted cell-note">${row.clientName}</p>`;

const HOURS = [
  { name: "workerName", label: "Worker" },
  { name: "workLocationName", label: "Work location", value: (row) => html`<${Place} row=${row} />` },
  { name: "totalHours", label: "Worked", isNumber: true, value: ({ totalHours }) => hours(totalHours) },
  { name: "scheduledHours", label: "Planned", isNumber: true, value: ({ scheduledHours }) => hours(scheduledHours) },
];
const AMOUNTS = ["billed", "paid", "margin"].map((name) => ({
  name,
  label: name.charAt(0).toUpperCase() + name.slice(1),
  isNumber: true,
  value: (row) => money(row[name]),
}));

export default function Hours({ query }) {
  const month = monthOf();
  const asked = { startDate: query.startDate || month.from, endDate: query.endDate || month.to, clientId: query.clientId };
  const report = useResource((signal) => get("/reports/hours", asked, { signal }), [asked.startDate, asked.endDate, asked.clientId]);
  const [isSaving, setSaving] = useState(false);

  async function save() {
    setSaving(true);
    try {
      await saveExport("/reports/hours.csv", asked);
    } catch (error) {
      toastError(error);
    } finally {
      setSaving(false);
    }
  }

  const action = html`<${Button} icon="download" busy=${isSaving} disabled=${isSaving || Boolean(report.error)} onClick=${save}>Export CSV<//>`;
  return html`<${Page} title="Hours report" subtitle=${dayRange(asked.startDate, asked.endDate)} isWide actions=${action}>
    <section class="list">
      <div class="toolbar">
        <${DayFilter} name="startDate" label="First day" value=${asked.startDate} />
        <${DayFilter} name="endDate" label="Last day" value=${asked.endDate} />
        <${ReferenceFilter} name="clientId" label="All clients" path="/clients" />
      </div>
      <${Loaded} resource=${report.error ? { ...report, data: undefined } : report} lines=${8}>
        ${(data) => html`<${Report} report=${data} isBusy=${report.isLoading} />`}
      <//>
    </section>
  <//>`;
}

function Report({ report, isBusy }) {
  const { rows, totals, asOf } = report;
  const [isWhole, setWhole] = useState(false);
  useEffect(() => setWhole(false), [report]);
  if (rows.length === 0) {
    return html`<${EmptyState} icon="clock" title="Nobody works in these days">Choose other days, or assign workers to positions.<//>`;
  }
  const amounts = AMOUNTS.filter(({ name }) => totals[name] !== undefined);
  const shown = isWhole ? rows : rows.slice(0, SHOWN_AT_FIRST);
  return html`<dl class="totals">
      ${[...HOURS.slice(2), ...amounts].map((column) => html`<div key=${column.name}><dt>${column.label}</dt><dd>${column.value(totals)}</dd></div>`)}
    </dl>
    <p class="muted">${notes(totals, asOf)}</p>
    <${Table} columns=${[...HOURS, ...amounts]} rows=${shown} label="Hours" isBusy=${isBusy} />
    ${shown.length < rows.length &&
    html`<div class="more"><${Button} onClick=${() => setWhole(true)}>Show all ${number(rows.length)} rows<//></div>`}`;
}

function notes({ hoursWithoutBillRate, hoursWithoutPayRate }, asOf) {
  const missing = [
    hoursWithoutBillRate > 0 && `${hours(hoursWithoutBillRate)} without a bill rate are not billed`,
    hoursWithoutPayRate > 0 && `${hours(hoursWithoutPayRate)} without a pay rate are not paid`,
  ].filter(Boolean);
  return `As of ${instant(asOf)}${missing.length > 0 ? `; ${missing.join(", ")}` : ""}.`;
}
