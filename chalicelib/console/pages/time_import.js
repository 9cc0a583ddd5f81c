/** Adding tracked time from a CSV file: of another product, or this one's own export. */

import { Field } from "../lib/form.js";
import { formats, words } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useMe } from "../lib/session.js";
import { Page } from "../lib/ui.js";
import { FileImport } from "../parts/file_import.js";

const FORMATS = [
  { value: "TOGGL", label: "Toggl, detailed report" },
  { value: "CLOCKIFY", label: "Clockify, detailed report" },
  { value: "HARVEST", label: "Harvest, detailed time report" },
  { value: "GENERIC", label: "Workledger's own export, or by hand" },
];
const DATE_FORMATS = ["YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "DD-MM-YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "MM-DD-YYYY", "MM/DD/YYYY"].map((value) => ({ value, label: value }));
const HINTS = {
  TOGGL: "The CSV as Toggl exports it.",
  CLOCKIFY: "The CSV as Clockify exports it.",
  HARVEST: "The CSV as Harvest exports it. It has no times: the work of a day is laid end to end from 09:00.",
  GENERIC: "Columns: date, start, end, project, description, billable, tags.",
};

const choice = (name, label, options, more) => ({ name, label, type: "select", options, isAlwaysSet: true, ...more });
const zones = Intl.supportedValuesOf("timeZone").map((value) => ({ value, label: value.replaceAll("_", " ") }));

const reason = ({ result, field, message, lockedBy }) => {
  if (result === "duplicate") return "It is there already";
  return `${field ? `${field}: ` : ""}${message}${lockedBy ? ` (${words(lockedBy).toLowerCase()})` : ""}`;
};
const notes = ({ warnings }) => warnings.map(({ field, message }) => `${field ? `${field}: ` : ""}${message}`).join("; ");
const facts = ({ newClients, newProjects, newTasks }) =>
  [["New clients", newClients], ["New projects", newProjects], ["New tasks", newTasks]].filter(([, count]) => count > 0);

export default function TimeImport() {
  const me = useMe();
  const [options, setOptions] = useState({
    format: "TOGGL",
    dateFormat: undefined,
    timezone: me.profile.preferences.timezone || formats().timezone,
    createMissing: false,
  });
  const input = (field) => html`<${Field} field=${field} value=${options[field.name] ?? ""} change=${(value) => setOptions((before) => ({ ...before, [field.name]: value || undefined }))} />`;
  return html`<${Page} title="Import time" subtitle="From a CSV file of up to 1,000 rows.">
    <${FileImport}
      path="/time-sessions/import"
      query=${options}
      nouns=${["session", "sessions"]}
      back="/time"
      hint=${HINTS[options.format]}
      ...${{ reason, notes, facts }}
    >
      <div class="filters">
        ${input(choice("format", "Exported from", FORMATS))}
        ${input(choice("dateFormat", "Date format", DATE_FORMATS, { isAlwaysSet: false, placeholder: "Its usual one" }))}
        ${input(choice("timezone", "Time zone of its times", zones))}
      </div>
      ${input({ name: "createMissing", label: "Create projects, clients, tasks and tags that are not there yet", type: "checkbox" })}
    <//>
  <//>`;
}
