/** The audit log: who changed what, and when, with the values before and after. */

import { ValueText } from "../lib/dialog.js";
import { DayFilter, rangeOf, ReferenceFilter, SelectFilter } from "../parts/filters.js";
import { instant, words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Icon } from "../lib/icons.js";
import { setQuery } from "../lib/router.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { EmptyState, Page } from "../lib/ui.js";

const ENTITIES = [
  "organization", "user", "session", "client", "workLocation", "position", "worker", "assignment", "project", "task", "timer",
  "timeSession", "timesheet", "metric", "widget", "activity", "quickAction", "loan", "kpi",
].map((value) => ({ value, label: words(value) }));

const only = (changes, text, label) => html`<button type="button" class="text-button" title=${label} onClick=${() => setQuery(changes)}>${text}</button>`;

const COLUMNS = [
  { name: "at", label: "When", value: ({ at }) => html`<time datetime=${at}>${instant(at)}</time>` },
  { name: "actor", label: "Who", value: ({ actor }) => (actor.id ? only({ actorId: actor.id }, actor.name, "Only theirs") : actor.name) },
  { name: "action", label: "Action", value: ({ action }) => only({ action }, words(action), "Only these events") },
  { name: "entity", label: "Entity", value: (entry) => html`<${Target} entry=${entry} />` },
  { name: "changes", label: "Changes", value: (entry) => html`<${Changes} entry=${entry} />` },
];

const Target = ({ entry: { entityType, entityId, entityName } }) =>
  html`${only({ entityType, entityId }, entityName || words(entityType), "Only what happened to it")}
    ${entityName && html`<p class="muted cell-note">${words(entityType)}</p>`}`;

function Changes({ entry: { changes, requestId } }) {
  const names = Object.keys(changes);
  if (names.length === 0) return "–";
  return html`<details class="changes">
    <summary>${names.length === 1 ? words(names[0]) : `${names.length} fields`}</summary>
    <table>
      <thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
      <tbody>
        ${names.map(
          (name) => html`<tr key=${name}>
            <th scope="row">${words(name)}</th>
            <td><${ValueText} value=${changes[name].before} /></td>
            <td><${ValueText} value=${changes[name].after} /></td>
          </tr>`,
        )}
      </tbody>
    </table>
    <p class="muted cell-note">Request ${requestId}</p>
  </details>`;
}

export default function AuditLog({ query }) {
  const { actorId, action, entityType, entityId } = query;
  const chosen = { actorId, action, entityType, entityId: entityType && entityId, ...rangeOf(query) };
  const list = useCursorList("/audit-log", chosen);
  const chip = (text, changes) =>
    html`<button type="button" class="chip" onClick=${() => setQuery(changes)}>${text}<${Icon} name="x" size=${14} /><span class="visually-hidden">remove</span></button>`;
  return html`<${Page} title="Audit log" subtitle="Every change, by whom and when; newest first." isWide>
    <section class="list">
      <div class="toolbar">
        <${ReferenceFilter} name="actorId" label="Anybody" path="/users" />
        <${SelectFilter} name="entityType" label="Kind of entity" options=${ENTITIES} all="Everything" />
        <${DayFilter} name="from" label="From" />
        <${DayFilter} name="to" label="To" />
        ${action && chip(words(action), { action: undefined })} ${entityType && entityId && chip("One entity", { entityId: undefined })}
      </div>
      <${CursorList} list=${list} empty=${html`<${EmptyState} icon="shield" title="No such changes">Choose other days, or fewer filters.<//>`}>
        ${list.rows && html`<${Table} columns=${COLUMNS} rows=${list.rows} label="Audit log" isBusy=${list.isLoading} />`}
      <//>
    </section>
  <//>`;
}
