/** Offering a loan, or changing the offer, with a preview of its schedule. */

import { messageOf, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form } from "../lib/form.js";
import { formats, minorUnits } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { AMORTIZATIONS, DAY_COUNTS, lends, rate, Schedule } from "../parts/loans.js";
import { useResource } from "../lib/resource.js";
import { go } from "../lib/router.js";
import { useMe } from "../lib/session.js";
import { toast } from "../lib/toast.js";
import { EmptyState, Loaded, Notice, Page } from "../lib/ui.js";

const PREVIEW_DELAY_MILLISECONDS = 400;

const fieldsFor = (currency, isNew) =>
  [
    isNew && { name: "borrowerOrganizationId", label: "Borrower's organization id", isRequired: true, isFirst: true, hint: "The borrower finds it in its organization's settings" },
    { name: "principal", label: `Principal (${currency})`, type: "money", currency, isRequired: true, isHalf: true },
    { name: "interestRateBps", label: "Interest (% a year)", type: "number", show: rate, min: 0, step: 0.0001, isRequired: true, isHalf: true },
    { name: "startDate", label: "Start", type: "date", isRequired: true, isHalf: true },
    { name: "maturityDate", label: "Maturity", type: "date", isRequired: true, isHalf: true },
    { name: "installments", label: "Installments", type: "number", min: 1, max: 600, isRequired: true, isHalf: true },
    { name: "graceInstallments", label: "Of these, interest only", type: "number", min: 0, isRequired: true, isHalf: true, initial: 0 },
    { name: "amortization", label: "Amortization", type: "select", isAlwaysSet: true, isHalf: true, initial: "EQUAL_PRINCIPAL", options: AMORTIZATIONS },
    { name: "dayCount", label: "Days are counted", type: "select", isAlwaysSet: true, isHalf: true, initial: "ACT_365F", options: DAY_COUNTS },
    { name: "expiresAt", label: "The offer ends", type: "datetime", isRequired: !isNew, hint: isNew ? "By default in 30 days" : undefined },
    { name: "note", label: "Note", type: "textarea", maxLength: 2000, hint: "Only your organization sees it" },
  ].filter(Boolean);

/** Per cent to basis points, which have two decimals at most. */
const basisPoints = (text) => Math.round(Number(text) * 10_000) / 100;

const bodyOf = ({ principal, interestRateBps, ...values }) => ({ ...values, principal: principal.amount, interestRateBps: basisPoints(interestRateBps) });

export default function LoanOffer({ id }) {
  const loaded = useResource(async () => ({ current: id ? await read(`/loans/${id}`) : null }), [id]);
  const { loanRole } = useMe().organization;
  if (!id && !lends(loanRole)) {
    return html`<${Page} title="Offer a loan">
      <${EmptyState} icon="coins" title="Your organization does not lend">An owner can change that in the organization's settings.<//>
    <//>`;
  }
  return html`<${Page} title=${id ? "Change the offer" : "Offer a loan"}>
    <section class="card">
      <${Loaded} resource=${loaded}>
        ${({ current }) =>
          !id || (current.data.side === "lender" && current.data.status === "OFFERED")
            ? html`<${OfferForm} ...${{ id, current }} />`
            : html`<${EmptyState} icon="coins" title="Only its lender can change an offer">And only until it is accepted, declined or cancelled.<//>`}
      <//>
    </section>
  <//>`;
}

function OfferForm({ id, current }) {
  const loan = current?.data;
  const currency = loan?.currency ?? formats().currency;
  const fields = fieldsFor(currency, !id);
  const initial = loan ? { ...loan, principal: { amount: loan.principal, currency }, interestRateBps: loan.interestRateBps / 100 } : {};
  async function submit(values, key) {
    const body = bodyOf(values);
    const saved = id ? await patchOver(`/loans/${id}`, body, current.etag, { key, fields }) : await post("/loans", body, { key });
    if (!saved) return;
    toast(id ? "The offer is changed" : `Offered to ${saved.counterparty.name}`);
    go(`/loans/${saved.id}`);
  }
  return html`<${Form} ...${{ fields, initial, submit }} isPatch=${Boolean(id)} action=${id ? "Save" : "Offer"} cancel=${() => go(id ? `/loans/${id}` : "/loans")}>
    ${(inputs) => html`<${Preview} terms=${termsOf(inputs, currency)} />`}
  <//>`;
}

/** The terms as they are typed, or null while some are missing. */
function termsOf(inputs, currency) {
  const principal = minorUnits(inputs.principal, currency);
  const { startDate, maturityDate, amortization, dayCount } = inputs;
  const installments = Number(inputs.installments);
  if (principal === null || inputs.interestRateBps === "" || !startDate || !maturityDate || !installments) return null;
  return {
    principal,
    interestRateBps: basisPoints(inputs.interestRateBps),
    startDate,
    maturityDate,
    installments,
    graceInstallments: Number(inputs.graceInstallments),
    amortization,
    dayCount,
  };
}

/** The schedule that these terms make, a moment after each change. */
function Preview({ terms }) {
  const text = JSON.stringify(terms);
  const [preview, setPreview] = useState(null);
  useEffect(() => {
    if (terms === null) return setPreview(null);
    const controller = new AbortController();
    const load = () =>
      post("/loans/schedule", terms, { signal: controller.signal }).then(
        (schedule) => setPreview({ schedule }),
        (error) => controller.signal.aborted || setPreview({ error }),
      );
    const timer = setTimeout(load, PREVIEW_DELAY_MILLISECONDS);
    return () => (clearTimeout(timer), controller.abort());
  }, [text]);
  if (terms === null || !preview) return html`<${Notice} icon="calendar">Complete the terms to see the schedule.<//>`;
  if (preview.error) return html`<${Notice} tone="warning">${problemOf(preview.error)}<//>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Preview of the schedule"><${Schedule} schedule=${preview.schedule} /></div>`;
}

function problemOf(error) {
  const problems = Object.entries(error.fieldErrors ?? {}).flatMap(([path, texts]) => texts.map((message) => `${path} ${message}`));
  return problems.length > 0 ? `${problems.join("; ")}.` : messageOf(error);
}
