/** Adding many workers from a CSV file: first a look at what each row would do, then the import. */

import { ApiError, messageOf, post } from "../lib/api.js";
import { number, words } from "../lib/format.js";
import { html, useId, useRef, useState } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { saveText } from "../parts/save.js";
import { Table } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Notice, Page } from "../lib/ui.js";

const TEMPLATE = { name: "workers.csv", text: "firstName,lastName,phone\r\nMehmet,Yılmaz,+49 151 2345678\r\n" };
const MAX_BYTES = 1_000_000;
const SHOWN_ROWS = 200;
const TONES = { created: "good", duplicate: "warning", error: "bad" };
const FIELDS = { firstName: "First name", lastName: "Last name", phone: "Phone" };

const COLUMNS = [
  { name: "row", label: "Row", value: ({ row }) => number(row) },
  { name: "result", label: "Result", value: ({ result }) => html`<${Badge} tone=${TONES[result]}>${words(result)}<//>` },
  { name: "why", label: "Why", value: reason },
];

function reason({ result, field, message, duplicateOfRow, workerId }) {
  if (result === "error") return `${field ? `${FIELDS[field]}: ` : ""}${message}`;
  if (result !== "duplicate") return "–";
  if (duplicateOfRow) return `Row ${duplicateOfRow} has the same phone`;
  return workerId ? "A worker has this phone already" : "This phone is taken";
}

export default function WorkersImport() {
  const [file, setFile] = useState(null);
  const [preview, setPreview] = useState(null);
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const key = useRef(null);
  const inputId = useId();

  const send = (text, dryRun) =>
    post("/workers/import", text, { contentType: "text/csv", query: { dryRun }, key: dryRun ? undefined : key.current });

  async function choose(event) {
    const chosen = event.currentTarget.files[0];
    setPreview(null);
    setFailure(null);
    setFile(null);
    if (!chosen) return;
    if (chosen.size > MAX_BYTES) return setFailure("The file is larger than 1 MB. Divide it into several.");
    const text = await chosen.text();
    if (text.includes("\uFFFD")) return setFailure("The file is not in UTF-8: letters such as ü would be lost. Save it as “CSV UTF-8”.");
    // The same key if the import is tried again: it goes on where it stopped.
    key.current = crypto.randomUUID();
    setBusy(true);
    try {
      setPreview(await send(text, true));
      setFile({ name: chosen.name, text });
    } catch (error) {
      setFailure(textOf(error));
    } finally {
      setBusy(false);
    }
  }

  async function run() {
    setBusy(true);
    try {
      const { created, duplicates, errors } = await send(file.text, false);
      toast(`${number(created)} workers are created${duplicates + errors > 0 ? `, ${number(duplicates + errors)} rows are left out` : ""}`);
      go("/workers");
    } catch (error) {
      toastError(error);
      setBusy(false);
    }
  }

  const template = html`<${Button} icon="download" onClick=${() => saveText(TEMPLATE)}>An example<//>`;
  return html`<${Page} title="Import workers" subtitle="From a CSV file of up to 1,000 rows." actions=${template}>
    <div class="stack">
      <section class="card">
        <div class="field">
          <label for=${inputId}>File</label>
          <input id=${inputId} class="input" type="file" accept=".csv,text/csv" disabled=${isBusy} onChange=${choose} />
          <span class="hint">Columns: <code>firstName,lastName,phone</code>. Nothing is stored before you have seen what each row does.</span>
        </div>
      </section>
      ${failure && html`<${Notice} tone="bad">${failure}<//>`}
      ${isBusy && html`<${Notice} icon="clock">${preview ? `Importing ${number(preview.created)} workers…` : "Reading the file…"}<//>`}
      ${preview && html`<${Preview} ...${{ preview, isBusy, run }} />`}
    </div>
  <//>`;
}

function Preview({ preview, isBusy, run }) {
  const { created, duplicates, errors, rows } = preview;
  const notable = rows.filter(({ result }) => result !== "created");
  const counts = [["New", created], ["Duplicates", duplicates], ["With errors", errors]];
  return html`<dl class="totals">${counts.map(([label, count]) => html`<div key=${label}><dt>${label}</dt><dd>${number(count)}</dd></div>`)}</dl>
    ${notable.length > 0 &&
    html`<div class="list">
      <h2>Rows that are left out</h2>
      <${Table} columns=${COLUMNS} rows=${notable.slice(0, SHOWN_ROWS)} label="Rows that are left out" />
      ${notable.length > SHOWN_ROWS && html`<p class="muted">And ${number(notable.length - SHOWN_ROWS)} more.</p>`}
    </div>`}
    <footer class="form-foot">
      <a class="button" href=${link("/workers")}>Cancel</a>
      <${Button} kind="primary" icon="upload" busy=${isBusy} disabled=${isBusy || created === 0} onClick=${run}>
        ${created === 1 ? "Import 1 worker" : `Import ${number(created)} workers`}
      <//>
    </footer>`;
}

/** A file that is no such CSV is refused as a whole. */
function textOf(error) {
  if (!(error instanceof ApiError)) return messageOf(error);
  const texts = Object.entries(error.fieldErrors).map(([path, messages]) => `${path} ${messages.join(", ")}`);
  if (texts.length === 0) return messageOf(error);
  return `This file cannot be read: ${texts.join("; ")}.`;
}
