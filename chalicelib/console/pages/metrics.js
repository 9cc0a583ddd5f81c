/** Metrics: those that come with the product, and the organization's own, with their values. */

import { del } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { words } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { Icon } from "../lib/icons.js";
import { go, link } from "../lib/router.js";
import { may } from "../lib/session.js";
import { PageTable } from "../lib/table.js";
import { shownValue } from "../lib/tiles.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Menu, Page } from "../lib/ui.js";

const TONES = { warning: "warning", critical: "bad" };

function Value({ metric }) {
  const { result } = metric;
  if (!result) return html`<span class="muted" title="Not for your role"><${Icon} name="lock" size=${15} /><span class="visually-hidden">not for your role</span></span>`;
  return html`${shownValue(result.value, result)} ${TONES[result.status] && html`<${Badge} tone=${TONES[result.status]}>${words(result.status)}<//>`}`;
}

function Name({ metric }) {
  return html`${metric.name} ${metric.isSystem && html`<${Badge}>built in<//>`}
    ${metric.description && html`<p class="muted cell-note">${metric.description}</p>`}`;
}

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true, value: (metric) => html`<${Name} metric=${metric} />` },
  { name: "category", label: "Category", isSortable: true, value: ({ category }) => words(category) },
  { name: "value", label: "Value", isNumber: true, value: (metric) => html`<${Value} metric=${metric} />` },
  { name: "target", label: "Target", isNumber: true, value: ({ result, targetValue }) => (result ? shownValue(targetValue, result) : "–") },
];

export default function Metrics() {
  const [version, setVersion] = useState(0);
  const mayWrite = may("metrics:write");

  async function remove(metric) {
    const question = { title: "Delete this metric?", text: `Widgets that show ${metric.name} stay, and say that it is gone.` };
    if (!(await confirm(question))) return;
    try {
      await del(`/metrics/${metric.id}`);
      toast(`${metric.name} is deleted`);
      setVersion(version + 1);
    } catch (error) {
      toastError(error);
    }
  }

  const actions = (metric) =>
    !metric.isSystem &&
    html`<${Menu}
      label=${`Change ${metric.name}`}
      items=${[
        { label: "Edit", icon: "edit", onClick: () => go(`/metrics/${metric.id}`) },
        { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(metric) },
      ]}
    />`;
  const create = mayWrite && html`<a class="button button-primary" href=${link("/metrics/new")}>New metric</a>`;
  return html`<${Page} title="Metrics" subtitle="Numbers of your organization, for widgets and thresholds." actions=${create}>
    <${PageTable}
      path="/metrics"
      label="Metrics"
      columns=${COLUMNS}
      defaultSort=${{ by: "name", order: "asc" }}
      actions=${mayWrite && actions}
      version=${version}
    />
  <//>`;
}
