/** Covenants of a loan and their tests: defined and waived by the lender, reported by the borrower. */

import { del, getAll } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { day, dayOf, number, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { askAndPost, REASON } from "./loans.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Menu } from "../lib/ui.js";

const TONES = { MET: "good", CURED: "good", BREACHED: "bad", MISSED: "bad", WAIVED: "warning" };
const TESTS_SHOWN = 4;
const choices = (...values) => values.map((value) => ({ value, label: words(value) }));

const fieldsFor = (loan) => [
  { name: "name", label: "Name", isRequired: true, isFirst: true, maxLength: 100, placeholder: "Equity ratio" },
  { name: "target", label: "Target", type: "number", step: "any", isRequired: true, isHalf: true },
  { name: "unit", label: "Unit", isHalf: true, maxLength: 20, placeholder: "%" },
  {
    name: "direction",
    label: "It is met",
    type: "select",
    isAlwaysSet: true,
    isHalf: true,
    initial: "UP",
    options: [
      { value: "UP", label: "At the target or above" },
      { value: "DOWN", label: "At the target or below" },
    ],
  },
  { name: "frequency", label: "Tested", type: "select", isAlwaysSet: true, isHalf: true, initial: "QUARTERLY", options: choices("ONCE", "MONTHLY", "QUARTERLY", "YEARLY") },
  { name: "firstTestDate", label: "First test", type: "date", isRequired: true, min: loan.startDate, max: loan.maturityDate },
  { name: "reportingDays", label: "Days to report", type: "number", isRequired: true, isHalf: true, initial: 30, min: 0 },
  { name: "cureDays", label: "Days to cure a breach", type: "number", isRequired: true, isHalf: true, initial: 0, min: 0 },
];

export function Covenants({ loan }) {
  const path = `/loans/${loan.id}/kpis`;
  const list = useCursorList(path);
  const mayDefine = loan.side === "lender" && (loan.status === "OFFERED" || loan.status === "ACTIVE");

  async function define() {
    if (!(await askAndPost("New covenant", path, fieldsFor(loan), { action: "Define" }))) return;
    toast("Defined; the borrower sees it, too");
    await list.reload();
  }

  /** All but its test dates: for others, it is deleted and another one is defined. */
  async function edit(kpi) {
    const fields = fieldsFor(loan).filter(({ name }) => name !== "frequency" && name !== "firstTestDate");
    // There is no read of one covenant; its version stands for its ETag.
    const tagged = (row) => ({ data: row, etag: `"${row.version}"` });
    const source = async () => tagged((await getAll(path)).find(({ id }) => id === kpi.id));
    const saved = await ask(`Change ${kpi.name}`, (close) => {
      const submit = async (values, key) => {
        const stored = await patchOver(`${path}/${kpi.id}`, values, tagged(kpi).etag, { key, fields, source });
        if (stored) close(stored);
      };
      return html`<${Form} ...${{ fields, submit }} initial=${kpi} isPatch cancel=${() => close()} />`;
    });
    if (!saved) return;
    toast("Changed; the borrower sees it, too");
    await list.reload();
  }

  async function remove(kpi) {
    if (!(await confirm({ title: "Delete this covenant?", text: `${kpi.name}, with its tests, on both sides.` }))) return;
    try {
      await del(`${path}/${kpi.id}`);
      list.setRows((rows) => rows.filter(({ id }) => id !== kpi.id));
      toast(`${kpi.name} is deleted`);
    } catch (error) {
      toastError(error);
    }
  }

  const add = mayDefine && html`<${Button} icon="plus" onClick=${define}>New covenant<//>`;
  const empty = html`<${EmptyState} icon="shield" title="No covenants" action=${add}>Figures of the borrower that are tested on dates until maturity.<//>`;
  return html`<${CursorList} list=${list} empty=${empty}>
    ${add && html`<div class="week-foot">${add}</div>`}
    ${list.rows?.map((kpi) => html`<${Covenant} key=${kpi.id} ...${{ kpi, loan, path, edit, remove, mayDefine }} />`)}
  <//>`;
}

function Covenant({ kpi, loan, path, edit, remove, mayDefine }) {
  const list = useCursorList(`${path}/${kpi.id}/tests`, {}, { limit: TESTS_SHOWN });
  const unit = kpi.unit ? ` ${kpi.unit}` : "";
  const shown = (value) => (value === null ? "–" : `${number(value, 4)}${unit}`);

  async function record(test) {
    const fields = [
      { name: "value", label: `Value${unit && ` (${kpi.unit})`}`, type: "number", step: "any", isRequired: true, initial: test.value ?? undefined },
      { name: "evidence", label: "Evidence", type: "textarea", maxLength: 1000 },
    ];
    const body = (values) => ({ ...values, testDate: test.testDate });
    const title = `${kpi.name} on ${day(test.testDate)}`;
    const saved = await askAndPost(title, `${path}/${kpi.id}/values`, fields, { action: "Record", body });
    if (!saved) return;
    toast(`Recorded: ${words(saved.state).toLowerCase()}`);
    await list.reload();
  }

  async function waive(test) {
    const title = `Waive the breach of ${day(test.testDate)}?`;
    if (!(await askAndPost(title, `${path}/${kpi.id}/tests/${test.testDate}/waive`, REASON, { action: "Waive" }))) return;
    toast("Waived");
    await list.reload();
  }

  const state = ({ state: value, waiver, cureUntil }) =>
    html`<span><${Badge} tone=${TONES[value]}>${words(value)}<//>${value === "BREACHED" && cureUntil && html`<span class="muted"> to cure until ${day(cureUntil)}</span>`}${waiver &&
    html`<span class="muted"> ${waiver.reason}</span>`}</span>`;
  const columns = [
    { name: "testDate", label: "Test", value: ({ testDate }) => day(testDate) },
    { name: "state", label: "Status", value: state },
    { name: "value", label: "Value", isNumber: true, value: ({ value }) => shown(value) },
    { name: "target", label: "Target", isNumber: true, value: ({ target }) => shown(target) },
    { name: "reportUntil", label: "Report until", value: ({ reportUntil }) => day(reportUntil) },
  ];
  const isBorrower = loan.side === "borrower" && loan.status === "ACTIVE";
  const today = dayOf();
  const items = [
    { label: "Edit", icon: "edit", onClick: () => edit(kpi) },
    { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(kpi) },
  ];
  const actions = (test) => {
    if (isBorrower && test.testDate <= today && test.state !== "WAIVED") return html`<${Button} kind="quiet" onClick=${() => record(test)}>${test.value === null ? "Report" : "Correct"}<//>`;
    return loan.side === "lender" && test.state === "BREACHED" && html`<${Button} kind="quiet" onClick=${() => waive(test)}>Waive<//>`;
  };
  return html`<section class="covenant" aria-label=${kpi.name}>
    <div class="day-head">
      <h2>${kpi.name} <span class="muted cell-note">${kpi.direction === "UP" ? "at least" : "at most"} ${shown(kpi.target)}, ${words(kpi.frequency).toLowerCase()}</span></h2>
      ${mayDefine && html`<${Menu} label=${`Change ${kpi.name}`} items=${items} />`}
    </div>
    <${CursorList} list=${list}>
      <${Table} label=${`Tests of ${kpi.name}`} rows=${list.rows} ...${{ columns, actions }} isBusy=${list.isLoading} />
    <//>
  </section>`;
}
