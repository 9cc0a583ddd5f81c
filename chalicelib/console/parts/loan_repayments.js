/** Repayments of a loan: listed for both sides, recorded and reversed by the lender. */

import { day } from "../lib/format.js";
import { html } from "../lib/html.js";
import { askAndPost, REASON, sum } from "./loans.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { toast } from "../lib/toast.js";
import { Badge, Button, EmptyState } from "../lib/ui.js";

/** Ask for a repayment; resolves to true if it was recorded. */
export async function askRepayment(loan) {
  const { currency, nextPayment, overdueAmount } = loan;
  const expected = overdueAmount || nextPayment;
  const fields = [
    { name: "amount", label: `Amount (${currency})`, type: "money", currency, isRequired: true, initial: expected ? { amount: expected, currency } : undefined },
    { name: "valueDate", label: "Value date", type: "date", isHalf: true, hint: "By default today" },
    { name: "reference", label: "Reference", isHalf: true, maxLength: 255 },
    { name: "note", label: "Note", type: "textarea", maxLength: 1000, hint: "Only you see it" },
  ];
  const body = (values) => ({ ...values, amount: values.amount.amount });
  // The API says it in minor units.
  const explain = ({ details }) => {
    if (details?.maximum) details.fieldErrors = { amount: [`must be at most ${sum(details.maximum, loan)}, all that is unpaid`] };
  };
  const result = await askAndPost("Record a repayment", `/loans/${loan.id}/repayments`, fields, { action: "Record", body, explain });
  if (!result) return false;
  const moved = result.reallocated.length;
  toast(`${sum(result.amount, loan)} recorded${moved > 0 ? `; ${moved} later ones now pay something else` : ""}`);
  return true;
}

export function Repayments({ loan, changed }) {
  const path = `/loans/${loan.id}/repayments`;
  const list = useCursorList(path);

  async function reverse(repayment) {
    const title = `Reverse ${sum(repayment.amount, loan)}?`;
    if (!(await askAndPost(title, `${path}/${repayment.id}/reverse`, REASON, { action: "Reverse" }))) return;
    toast("Reversed: what it paid is unpaid again");
    await Promise.all([list.reload(), changed()]);
  }

  const note = ({ isSettlement, reversedAt, reversalReason }) =>
    reversedAt ? html`<${Badge} tone="bad">reversed<//> <span class="muted">${reversalReason}</span>` : isSettlement ? html`<${Badge}>settlement<//>` : "–";
  const columns = [
    { name: "valueDate", label: "Value date", value: (row) => day(row.valueDate) },
    { name: "amount", label: "Amount", isNumber: true, value: (row) => sum(row.amount, loan) },
    { name: "principal", label: "Principal", isNumber: true, value: (row) => sum(row.principal, loan) },
    { name: "interest", label: "Interest", isNumber: true, value: (row) => sum(row.interest, loan) },
    { name: "reference", label: "Reference" },
    { name: "state", label: "Status", value: (row) => html`<span>${note(row)}</span>` },
  ];
  const mayReverse = loan.side === "lender" && (loan.status === "ACTIVE" || loan.status === "REPAID");
  const actions = (row) => !row.reversedAt && html`<${Button} kind="quiet" onClick=${() => reverse(row)}>Reverse<//>`;
  const empty = html`<${EmptyState} icon="coins" title="Nothing is repaid yet">Repayments appear here, with what each one pays.<//>`;
  return html`<${CursorList} list=${list} empty=${empty}>
    <${Table} label="Repayments" rows=${list.rows} columns=${columns} actions=${mayReverse && actions} isBusy=${list.isLoading} />
  <//>`;
}
