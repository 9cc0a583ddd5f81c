/** Adding many entities from a CSV file: first a look at what each row would do, then the import. */

import { ApiError, messageOf, post } from "../lib/api.js";
import { number, words } from "../lib/format.js";
import { html, useEffect, useId, useRef, useState } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { Table } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Notice } from "../lib/ui.js";

const MAX_BYTES = 1_000_000;
const SHOWN_ROWS = 200;
const TONES = { created: "good", duplicate: "warning", error: "bad" };

/**
 * `path` takes the file, with `query` of further options; `nouns` are one and many of what it creates, `reason(row)`
 * says why a row is left out, `notes(row)` what else is to be known of one that is not, `facts(preview)` are further
 * counts. `hint` is about the file, `children` are inputs of the options, `back` is the page of what is there.
 */
export function FileImport({ path, query = {}, nouns, reason, notes, facts, hint, children, back }) {
  const [file, setFile] = useState(null);
  const [preview, setPreview] = useState(null);
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const key = useRef(null);
  const inputId = useId();
  const options = JSON.stringify(query);
  const counted = (count) => `${number(count)} ${count === 1 ? nouns[0] : nouns[1]}`;
  const send = (dryRun) => post(path, file.text, { contentType: "text/csv", query: { ...query, dryRun }, key: dryRun ? undefined : key.current });

  async function choose(event) {
    const chosen = event.currentTarget.files[0];
    setPreview(null);
    setFailure(null);
    setFile(null);
    if (!chosen) return;
    if (chosen.size > MAX_BYTES) return setFailure("The file is larger than 1 MB. Divide it into several.");
    const text = await chosen.text();
    if (text.includes("\uFFFD")) return setFailure("The file is not in UTF-8: letters such as ü would be lost. Save it as “CSV UTF-8”.");
    setFile({ text });
  }

  useEffect(() => {
    if (!file) return undefined;
    let isCurrent = true;
    const ifCurrent = (act) => (value) => isCurrent && act(value);
    // The same key if the import is tried again: it goes on where it stopped.
    key.current = crypto.randomUUID();
    setPreview(null);
    setFailure(null);
    setBusy(true);
    send(true)
      .then(ifCurrent(setPreview), ifCurrent((error) => setFailure(textOf(error))))
      .then(ifCurrent(() => setBusy(false)));
    return () => (isCurrent = false);
  }, [file, options]);

  async function run() {
    setBusy(true);
    try {
      const { created, duplicates, errors } = await send(false);
      const left = duplicates + errors;
      toast(`${counted(created)} ${created === 1 ? "is" : "are"} created${left > 0 ? `, ${number(left)} ${left === 1 ? "row is" : "rows are"} left out` : ""}`);
      go(back);
    } catch (error) {
      toastError(error);
      setBusy(false);
    }
  }

  return html`<div class="stack">
    <section class="card stack">
      ${children}
      <div class="field">
        <label for=${inputId}>File</label>
        <input id=${inputId} class="input" type="file" accept=".csv,text/csv" disabled=${isBusy} onChange=${choose} />
        <span class="hint">${hint} Nothing is stored before you have seen what each row does.</span>
      </div>
    </section>
    ${failure && html`<${Notice} tone="bad">${failure}<//>`}
    ${isBusy && html`<${Notice} icon="clock">${preview ? `Importing ${counted(preview.created)}…` : "Reading the file…"}<//>`}
    ${preview && html`<${Preview} ...${{ preview, isBusy, run, reason, notes, facts, counted, back }} />`}
  </div>`;
}

function Preview({ preview, isBusy, run, reason, notes, facts, counted, back }) {
  const { created, duplicates, errors, rows } = preview;
  const counts = [["New", created], ["Duplicates", duplicates], ["With errors", errors], ...(facts?.(preview) ?? [])];
  const row = { name: "row", label: "Row", value: (result) => number(result.row) };
  const left = [
    row,
    { name: "result", label: "Result", value: ({ result }) => html`<${Badge} tone=${TONES[result]}>${words(result)}<//>` },
    { name: "why", label: "Why", value: reason },
  ];
  const noted = rows.filter((result) => result.result === "created" && notes?.(result));
  return html`<dl class="totals">${counts.map(([label, count]) => html`<div key=${label}><dt>${label}</dt><dd>${number(count)}</dd></div>`)}</dl>
    <${Rows} title="Rows that are left out" columns=${left} rows=${rows.filter(({ result }) => result !== "created")} />
    <${Rows} title="Rows to look at" columns=${[row, { name: "note", label: "Note", value: notes }]} rows=${noted} />
    <footer class="form-foot">
      <a class="button" href=${link(back)}>Cancel</a>
      <${Button} kind="primary" icon="upload" busy=${isBusy} disabled=${isBusy || created === 0} onClick=${run}>Import ${counted(created)}<//>
    </footer>`;
}

function Rows({ title, columns, rows }) {
  if (rows.length === 0) return null;
  return html`<div class="list">
    <h2>${title}</h2>
    <${Table} columns=${columns} rows=${rows.slice(0, SHOWN_ROWS)} label=${title} />
    ${rows.length > SHOWN_ROWS && html`<p class="muted">And ${number(rows.length - SHOWN_ROWS)} more.</p>`}
  </div>`;
}

/** A file that is no such CSV is refused as a whole. */
function textOf(error) {
  if (!(error instanceof ApiError)) return messageOf(error);
  const texts = Object.entries(error.fieldErrors).map(([path, messages]) => `${path} ${messages.join(", ")}`);
  if (texts.length === 0) return messageOf(error);
  return `This file cannot be read: ${texts.join("; ")}.`;
}
