/** One loan, as its side sees it: terms, schedule, repayments, payoff and covenants. */

import { del, get, post } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { Field } from "../lib/form.js";
import { day, dayOf, dayRange, instant } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { Covenants } from "../parts/loan_covenants.js";
import { askRepayment, Repayments } from "../parts/loan_repayments.js";
import { AMORTIZATIONS, askAndPost, DAY_COUNTS, labelOf, LoanState, rate, REASON, Schedule, sum } from "../parts/loans.js";
import { useResource } from "../lib/resource.js";
import { go, link, setQuery } from "../lib/router.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, Loaded, Menu, Notice, Page } from "../lib/ui.js";

const TABS = [
  [undefined, "Schedule"],
  ["repayments", "Repayments"],
  ["covenants", "Covenants"],
];

export default function Loan({ id, query }) {
  const loaded = useResource(
    async (signal) => {
      const [loan, schedule] = await Promise.all([get(`/loans/${id}`, undefined, { signal }), get(`/loans/${id}/schedule`, undefined, { signal })]);
      return { loan, schedule };
    },
    [id],
  );
  const loan = loaded.data?.loan;
  const title = loan ? `Loan ${loan.side === "lender" ? "to" : "from"} ${loan.counterparty.name}` : "Loan";
  // Repayments load again with the figures that they change.
  const version = loan?.version;
  return html`<${Page} title=${title} actions=${loan && html`<${Steps} loan=${loan} changed=${loaded.reload} />`}>
    <${Loaded} resource=${loaded}>
      ${({ schedule }) => html`<${Facts} loan=${loan} />
        ${loan.status === "ACTIVE" && html`<${Payoff} key=${version} loan=${loan} />`}
        <div class="tabs section-tabs" role="group" aria-label="Show">
          ${TABS.map(
            ([tab, label]) => html`<button type="button" aria-pressed=${query.tab === tab} onClick=${() => setQuery({ tab })}>${label}</button>`,
          )}
        </div>
        ${!query.tab && html`<${Schedule} schedule=${schedule} />`}
        ${query.tab === "repayments" && html`<${Repayments} key=${version} loan=${loan} changed=${loaded.reload} />`}
        ${query.tab === "covenants" && html`<${Covenants} loan=${loan} />`}`}
    <//>
  <//>`;
}

function Facts({ loan }) {
  const { status, side, note, expiresAt, writeOffReason } = loan;
  return html`${status === "OFFERED" &&
    html`<${Notice} icon="clock">${side === "borrower" ? "You can accept or decline this offer" : "The borrower can accept or decline this offer"} until ${instant(expiresAt)}.<//>`}
    <dl class="figures card loan-figures">
      <div><dt>Status</dt><dd><${LoanState} loan=${loan} /></dd></div>
      <div><dt>Principal</dt><dd>${sum(loan.principal, loan)}</dd></div>
      <div><dt>Interest</dt><dd>${rate(loan.interestRateBps)} a year, ${labelOf(DAY_COUNTS, loan.dayCount)}</dd></div>
      <div><dt>Term</dt><dd>${dayRange(loan.startDate, loan.maturityDate)}</dd></div>
      <div><dt>Repaid in</dt><dd>${loan.installments} installments, ${labelOf(AMORTIZATIONS, loan.amortization).toLowerCase()}</dd></div>
      ${loan.acceptedAt && html`<div><dt>Outstanding</dt><dd>${sum(loan.outstanding, loan)}</dd></div>`}
      ${loan.overdueAmount > 0 && html`<div><dt>Overdue for ${loan.daysPastDue} days</dt><dd class="tone-bad">${sum(loan.overdueAmount, loan)}</dd></div>`}
      ${loan.nextDueDate && html`<div><dt>Next payment on ${day(loan.nextDueDate)}</dt><dd>${sum(loan.nextPayment, loan)}</dd></div>`}
      ${writeOffReason && html`<div><dt>Written off</dt><dd>${writeOffReason}</dd></div>`}
      ${note && html`<div><dt>Your note</dt><dd>${note}</dd></div>`}
    </dl>`;
}

/** The amount that ends the loan on a day. */
function Payoff({ loan }) {
  // It begins on its first day.
  const [on, setOn] = useState([dayOf(), loan.startDate].sort().at(-1));
  const payoff = useResource((signal) => get(`/loans/${loan.id}/payoff`, { on }, { signal }), [loan.id, on]);
  return html`<section class="card payoff" aria-label="Payoff">
    <${Field} field=${{ name: "on", label: "Payoff on", type: "date", isAlwaysSet: true, min: loan.startDate }} value=${on} change=${(value) => value && setOn(value)} />
    <${Loaded} resource=${payoff} lines=${1}>
      ${(data) => html`<dl class="figures">
        <div><dt>Payoff</dt><dd>${sum(data.amount, data)}</dd></div>
        <div><dt>Principal</dt><dd>${sum(data.principal, data)}</dd></div>
        <div><dt>Interest due</dt><dd>${sum(data.dueInterest, data)}</dd></div>
        <div><dt>Interest accrued since</dt><dd>${sum(data.accruedInterest, data)}</dd></div>
      </dl>`}
    <//>
  </section>`;
}

/** What the caller's side may do with the loan in its state. */
function Steps({ loan, changed }) {
  const { id, side, status } = loan;
  const path = `/loans/${id}`;
  const isLender = side === "lender";

  async function attempt(work, done) {
    try {
      if ((await work()) === false) return;
      toast(done);
    } catch (error) {
      toastError(error);
    }
    await changed();
  }

  /** Ask first; `false` where the answer is no. */
  const asked = async (question, work) => ((await confirm(question)) ? work() : false);

  const accept = () => {
    const text = `${sum(loan.principal, loan)} at ${rate(loan.interestRateBps)} until ${day(loan.maturityDate)}. It binds your organization.`;
    const send = () => post(`${path}/accept`, { termsVersion: loan.termsVersion });
    return attempt(() => asked({ title: "Accept this loan?", text, action: "Accept it", kind: "primary" }, send), "Accepted");
  };
  const decline = () => attempt(() => asked({ title: "Decline this offer?", text: "It cannot be accepted any more.", action: "Decline it" }, () => post(`${path}/decline`)), "Declined");
  const cancel = () => attempt(() => asked({ title: "Cancel this offer?", text: "It cannot be accepted any more.", action: "Cancel it" }, () => post(`${path}/cancel`)), "Cancelled");
  const remove = async () => {
    if (!(await confirm({ title: "Delete this loan?", text: "It goes on both sides." }))) return;
    try {
      await del(path);
      toast("Deleted");
      go("/loans", undefined, { isReplacing: true });
    } catch (error) {
      toastError(error);
    }
  };
  const repay = async () => {
    if (await askRepayment(loan)) await changed();
  };
  const settle = async () => {
    const fields = [{ name: "on", label: "Paid off on", type: "date", hint: "By default today" }];
    const lead = "Records the payoff of this day as repaid, and cancels the rest of the interest.";
    if (!(await askAndPost("Settle this loan?", `${path}/settle`, fields, { action: "Settle", lead }))) return;
    toast("Settled");
    await changed();
  };
  const writeOff = async () => {
    if (!(await askAndPost("Write this loan off?", `${path}/write-off`, REASON, { action: "Write off" }))) return;
    toast("Written off");
    await changed();
  };

  if (status === "OFFERED" && !isLender) {
    return html`<${Button} kind="danger" onClick=${decline}>Decline<//><${Button} kind="primary" icon="check" onClick=${accept}>Accept<//>`;
  }
  if (!isLender) return null;
  if (status === "OFFERED") {
    return html`<${Button} kind="danger" onClick=${cancel}>Cancel the offer<//><a class="button" href=${link(`${path}/offer`)}>Change the offer</a>`;
  }
  if (status === "ACTIVE") {
    const items = [
      { label: "Settle", icon: "check", onClick: settle },
      { label: "Write off", icon: "trash", isDanger: true, onClick: writeOff },
    ];
    return html`<${Button} kind="primary" icon="plus" onClick=${repay}>Record a repayment<//><${Menu} label="More about the loan" items=${items} />`;
  }
  const isDeletable = ["DECLINED", "CANCELLED", "EXPIRED"].includes(status);
  return isDeletable && html`<${Button} kind="danger" icon="trash" onClick=${remove}>Delete<//>`;
}
