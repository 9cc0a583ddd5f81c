/** Loans: their words and figures, and the table of a schedule. */

import { post } from "../lib/api.js";
import { ask } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { day, money, number, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Badge } from "../lib/ui.js";

const TONES = { OFFERED: "accent", ACTIVE: "good", WRITTEN_OFF: "bad", DECLINED: "bad" };
const BUCKETS = { D1_30: "1–30 days overdue", D31_60: "31–60 days overdue", D61_90: "61–90 days overdue", D90_PLUS: "over 90 days overdue" };
const ROW_TONES = { PAID: "good", OVERDUE: "bad", DUE: "warning" };

export const AMORTIZATIONS = [
  { value: "EQUAL_PRINCIPAL", label: "Equal principal" },
  { value: "ANNUITY", label: "Annuity: equal payments" },
  { value: "BULLET", label: "Bullet: principal at the end" },
];
export const DAY_COUNTS = [
  { value: "ACT_365F", label: "Actual/365" },
  { value: "ACT_360", label: "Actual/360" },
  { value: "30E_360", label: "30E/360" },
  { value: "ACT_ACT", label: "Actual/actual" },
];

export const labelOf = (options, value) => options.find((option) => option.value === value)?.label ?? words(value);
export const rate = (basisPoints) => `${number(basisPoints / 100, 4)} %`;

/** True if an organization of this role may offer loans. */
export const lends = (loanRole) => loanRole === "LENDER" || loanRole === "BOTH";

/** A number of minor units in the loan's currency. */
export const sum = (amount, { currency }) => money(amount === null || amount === undefined ? null : { amount, currency });

export const LoanState = ({ loan }) => html`<${Badge} tone=${TONES[loan.status]}>${words(loan.status)}<//>
  ${BUCKETS[loan.bucket] && html` <${Badge} tone="bad">${BUCKETS[loan.bucket]}<//>`}`;

/** Rows of a schedule: those of a preview, or of a loan with what is paid. */
export function Schedule({ schedule, label = "Schedule" }) {
  const { rows, totals } = schedule;
  const hasPayments = rows.some(({ status }) => status);
  const shown = (amount) => sum(amount, schedule);
  const paid = (row) => row.paidPrincipal + row.paidInterest;
  return html`<div class="table-box">
    <table class="table" aria-label=${label}>
      <thead>
        <tr>
          <th scope="col">Due</th>
          <th scope="col" class="is-number">Principal</th>
          <th scope="col" class="is-number">Interest</th>
          <th scope="col" class="is-number">Payment</th>
          <th scope="col" class="is-number">Balance</th>
          ${hasPayments && html`<th scope="col" class="is-number">Paid</th><th scope="col">Status</th>`}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${row.number}>
            <td class="is-main"><span class="row-number">${row.number}</span>${day(row.dueDate)}</td>
            <td class="is-number" data-label="Principal">${shown(row.principal)}</td>
            <td class="is-number" data-label="Interest">${shown(row.interest)}</td>
            <td class="is-number" data-label="Payment">${shown(row.payment)}</td>
            <td class="is-number" data-label="Balance">${shown(row.balance)}</td>
            ${hasPayments &&
            html`<td class="is-number" data-label="Paid">${paid(row) > 0 ? shown(paid(row)) : "–"}</td>
              <td data-label="Status"><${Badge} tone=${ROW_TONES[row.status]}>${words(row.status)}<//></td>`}
          </tr>`,
        )}
        <tr>
          <th scope="row" class="is-main">Total</th>
          <td class="is-number" data-label="Principal">${shown(totals.principal)}</td>
          <td class="is-number" data-label="Interest">${shown(totals.interest)}</td>
          <td class="is-number" data-label="Payment">${shown(totals.payment)}</td>
          <td />
          ${hasPayments && html`<td class="is-number" data-label="Paid">${shown(paid(totals))}</td><td />`}
        </tr>
      </tbody>
    </table>
  </div>`;
}

/**
 * Ask with a form and send its values to `path`; resolves to the answer, or to undefined. `body(values)` makes the body,
 * `explain(error)` changes a refusal into words of the form.
 */
export function askAndPost(title, path, fields, { action, body = (values) => values, explain = () => undefined, lead } = {}) {
  return ask(title, (close) => {
    const submit = async (values, key) => {
      try {
        close(await post(path, body(values), { key }));
      } catch (error) {
        explain(error);
        throw error;
      }
    };
    return html`${lead && html`<p class="muted form-lead">${lead}</p>`}
      <${Form} ...${{ fields, submit, action }} cancel=${() => close(undefined)} />`;
  });
}

export const REASON = [{ name: "reason", label: "Reason", type: "textarea", isRequired: true, maxLength: 1000, hint: "Both sides see it" }];
