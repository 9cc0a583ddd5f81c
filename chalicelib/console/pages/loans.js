/** Loans of both sides: those that the organization gives, and those that it takes. */

import { day } from "../lib/format.js";
import { html } from "../lib/html.js";
import { lends, LoanState, rate, sum } from "../parts/loans.js";
import { link, setQuery } from "../lib/router.js";
import { useMe } from "../lib/session.js";
import { CursorTable } from "../lib/table.js";
import { EmptyState, Page } from "../lib/ui.js";

const STATES = [
  [undefined, "All"],
  ["ACTIVE", "Active"],
  ["OFFERED", "Offered"],
  ["REPAID", "Repaid"],
];
const COLUMNS = [
  { name: "counterparty", label: "With", value: ({ side, counterparty }) => `${side === "lender" ? "To" : "From"} ${counterparty.name}` },
  { name: "status", label: "Status", value: (loan) => html`<span><${LoanState} loan=${loan} /></span>` },
  { name: "principal", label: "Principal", isNumber: true, value: (loan) => sum(loan.principal, loan) },
  { name: "rate", label: "Interest", isNumber: true, value: (loan) => rate(loan.interestRateBps) },
  { name: "outstanding", label: "Outstanding", isNumber: true, value: (loan) => sum(loan.outstanding, loan) },
  { name: "overdue", label: "Overdue", isNumber: true, value: (loan) => (loan.overdueAmount > 0 ? html`<span class="tone-bad">${sum(loan.overdueAmount, loan)}</span>` : "–") },
  { name: "next", label: "Next payment", isShort: true, value: (loan) => (loan.nextDueDate ? `${day(loan.nextDueDate)}: ${sum(loan.nextPayment, loan)}` : "–") },
];

export default function Loans({ query }) {
  const { loanRole } = useMe().organization;
  const { status } = query;
  const tabs = html`<div class="tabs" role="group" aria-label="Show">
    ${STATES.map(
      ([state, label]) => html`<button type="button" aria-pressed=${status === state} onClick=${() => setQuery({ status: state })}>${label}</button>`,
    )}
  </div>`;
  const mayLend = lends(loanRole);
  const offer = mayLend && html`<a class="button button-primary" href=${link("/loans/new")}>Offer a loan</a>`;
  const hint =
    loanRole === "NONE"
      ? "An owner chooses in the organization's settings whether it lends or borrows."
      : mayLend
        ? "Offer one to an organization that borrows."
        : "Offers of lenders appear here.";
  const empty = html`<${EmptyState} icon="coins" title=${status ? "None in this state" : "No loans yet"} action=${!status && offer}>${!status && hint}<//>`;
  return html`<${Page} title="Loans" subtitle="Between your organization and others." actions=${html`${tabs}${offer}`}>
    <${CursorTable} path="/loans" query=${{ status }} label="Loans" columns=${COLUMNS} href=${({ id }) => link(`/loans/${id}`)} empty=${empty} />
  <//>`;
}
