/** Adding many workers from a CSV file. */

import { FileImport } from "../parts/file_import.js";
import { saveText } from "../parts/save.js";
import { html } from "../lib/html.js";
import { Button, Page } from "../lib/ui.js";

const TEMPLATE = { name: "workers.csv", text: "firstName,lastName,phone\r\nMehmet,Yılmaz,+49 151 2345678\r\n" };
const FIELDS = { firstName: "First name", lastName: "Last name", phone: "Phone" };

function reason({ result, field, message, duplicateOfRow, workerId }) {
  if (result === "error") return `${field ? `${FIELDS[field]}: ` : ""}${message}`;
  if (duplicateOfRow) return `Row ${duplicateOfRow} has the same phone`;
  return workerId ? "A worker has this phone already" : "This phone is taken";
}

export default function WorkersImport() {
  const template = html`<${Button} icon="download" onClick=${() => saveText(TEMPLATE)}>An example<//>`;
  return html`<${Page} title="Import workers" subtitle="From a CSV file of up to 1,000 rows." actions=${template}>
    <${FileImport}
      path="/workers/import"
      nouns=${["worker", "workers"]}
      reason=${reason}
      hint=${html`Columns: <code>firstName,lastName,phone</code>.`}
      back="/workers"
    />
  <//>`;
}
