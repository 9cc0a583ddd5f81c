/** Recording an activity by hand: something that happened outside of Workledger. */

import { post } from "../lib/api.js";
import { words } from "../lib/format.js";
import { Form } from "../lib/form.js";
import { html } from "../lib/html.js";
import { go } from "../lib/router.js";
import { me } from "../lib/session.js";
import { toast } from "../lib/toast.js";
import { Page } from "../lib/ui.js";

const choices = (...values) => values.map((value) => ({ value, label: words(value) }));

const FIELDS = [
  { name: "title", label: "Title", isRequired: true, isFirst: true, maxLength: 255, placeholder: "Payroll exported" },
  { name: "description", label: "Description", type: "textarea", maxLength: 2000 },
  {
    name: "type",
    label: "Type",
    type: "select",
    isAlwaysSet: true,
    isHalf: true,
    initial: "USER_ACTION",
    options: choices("USER_ACTION", "SYSTEM_EVENT", "WORKFLOW_UPDATE", "DATA_CHANGE", "INTEGRATION_EVENT"),
  },
  {
    name: "severity",
    label: "Severity",
    type: "select",
    isAlwaysSet: true,
    isHalf: true,
    initial: "INFO",
    options: choices("INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"),
  },
  { name: "action", label: "Action", isRequired: true, initial: "NOTED", hint: "In capitals, to find all of a kind: PAYROLL_EXPORTED" },
];

export default function NewActivity() {
  async function submit(values, key) {
    await post("/activities", { ...values, entityType: "organization", entityId: me.get().organization.id }, { key });
    toast("The activity is recorded");
    go("/activities");
  }
  return html`<${Page} title="Record an activity" subtitle="Everybody in your organization sees it in the feed.">
    <section class="card card-form">
      <${Form} fields=${FIELDS} submit=${submit} action="Record" cancel=${() => go("/activities")} />
    </section>
  <//>`;
}
