/** Settings of the organization. */

import { read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form } from "../lib/form.js";
import { dateOf, number, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { may, reload } from "../lib/session.js";
import { toast } from "../lib/toast.js";
import { Rates } from "../parts/rates.js";
import { Loaded, Page } from "../lib/ui.js";

const choices = (values) => values.map((value) => ({ value, label: words(value) }));
const named = (values, type) => {
  const names = new Intl.DisplayNames("en", { type });
  return values.map((value) => ({ value, label: `${value} – ${names.of(value)}` }));
};

/** A select must have the value that is stored, even one that this browser does not know. */
const withCurrent = (values, current) => (values.includes(current) ? values : [current, ...values]);

function fieldsFor(organization) {
  const zones = withCurrent(Intl.supportedValuesOf("timeZone"), organization.timezone);
  const currencies = withCurrent(Intl.supportedValuesOf("currency"), organization.currency);
  return [
    { name: "name", label: "Name", isRequired: true, maxLength: 255 },
    {
      name: "timezone",
      label: "Time zone",
      type: "select",
      isAlwaysSet: true,
      isHalf: true,
      options: zones.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") })),
      hint: "Where its days begin and end.",
    },
    { name: "weekStart", label: "A week starts on", type: "select", isAlwaysSet: true, isHalf: true, options: choices(["MONDAY", "SATURDAY", "SUNDAY"]) },
    { name: "currency", label: "Currency", type: "select", isAlwaysSet: true, isHalf: true, options: named(currencies, "currency"), hint: "Fixed while rates in it exist." },
    { name: "region", label: "Country", isHalf: true, maxLength: 2, placeholder: "DE", hint: "Of phone numbers without a prefix." },
    may("organization:govern") && {
      name: "loanRole",
      label: "Loans",
      type: "select",
      isAlwaysSet: true,
      options: choices(["NONE", "BORROWER", "LENDER", "BOTH"]),
      hint: "Whether it lends to other organizations, borrows from them, or both.",
    },
  ].filter(Boolean);
}

export default function Settings() {
  const organization = useResource(() => read("/organization"));
  return html`<${Page} title="Organization" subtitle="Settings that hold for everybody.">
    <${Loaded} resource=${organization}>
      ${({ data, etag }) => html`<div class="stack">
        <section class="card card-form">
          <${SettingsForm} key=${data.version} organization=${data} etag=${etag} done=${organization.reload} />
        </section>
        ${may("rates:manage") &&
        html`<section class="card card-form">
          <h2>Rates of tracked time</h2>
          <${Rates} path="/organization/rates" lead="They price billable time where neither the project nor the member has a rate." />
        </section>`}
        <section class="card card-form">
          <h2>Details</h2>
          <dl class="details">
            <div><dt>Users</dt><dd>${number(data.activeUserCount)} active of ${number(data.userCount)}</dd></div>
            <div><dt>Plan</dt><dd>${words(data.subscriptionTier)}</dd></div>
            <div><dt>Since</dt><dd>${dateOf(data.createdAt)}</dd></div>
            <div><dt>ID</dt><dd><code>${data.id}</code><p class="muted cell-note">Lenders ask for it when they offer a loan.</p></dd></div>
          </dl>
        </section>
      </div>`}
    <//>
  <//>`;
}

function SettingsForm({ organization, etag, done }) {
  const fields = fieldsFor(organization);
  async function submit(values, key) {
    const stored = await patchOver("/organization", values, etag, { key, fields });
    if (!stored) return;
    toast("The settings are saved");
    // All pages follow them: dates, money, the name in the header.
    await Promise.all([reload(), done()]);
  }
  return html`<${Form} fields=${fields} initial=${organization} isPatch submit=${submit} />`;
}
