/** Time sessions by day, latest first: filtered, created, changed and deleted. */

import { del } from "../lib/api.js";
import { ask, confirm } from "../lib/dialog.js";
import { Field } from "../lib/form.js";
import { addDays, day, dayOf, duration, money, time, words } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { link, setQuery } from "../lib/router.js";
import { may, useMe } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { LABELS, projectField, userName, withNames } from "../lib/time_fields.js";
import { stops } from "../lib/timer.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Menu, Page } from "../lib/ui.js";
import { instantOf } from "../lib/zones.js";
import { BulkBar } from "../parts/bulk_time.js";
import { saveExport } from "../parts/save.js";
import { PEOPLE, SessionForm } from "../parts/session_form.js";

const DAYS_SHOWN = 14;
const LONG_DAY = { weekday: "long", day: "numeric", month: "long" };

export default function Time({ query }) {
  const me = useMe();
  const seesOthers = may("time-of-others:manage");
  const today = dayOf();
  const from = query.from || addDays(today, 1 - DAYS_SHOWN);
  const to = query.to || today;
  const isOfAll = seesOthers && query.people === "all";
  const filters = { projectId: query.projectId, billable: query.billable, tag: query.tag, userId: isOfAll ? query.userId : me.user.id };
  const span = { from: instantOf(`${from}T00:00`), to: instantOf(`${addDays(to, 1)}T00:00`) };
  const list = useCursorList("/time-sessions", { ...span, ...filters });
  const [chosen, setChosen] = useState(() => new Set());
  const stopped = useStore(stops);
  useEffect(() => void (stopped > 0 && list.reload()), [stopped]);
  const named = useResource(async () => list.rows && withNames(list.rows), [list.rows]);
  const rows = named.data ?? [];
  const selection = {
    isOffered: ({ lockedBy }) => !lockedBy,
    has: ({ id }) => chosen.has(id),
    set: (some, isChosen) => setChosen((before) => new Set(isChosen ? [...before, ...some.map(({ id }) => id)] : [...before].filter((id) => !some.some((row) => row.id === id)))),
    name: (row) => `${row.description || "time"} of ${time(row.startAt)}`,
  };
  const hasAmounts = rows.some(({ amount }) => amount);
  const isChosen = (row) => selection.isOffered(row) && selection.has(row);

  async function edit(session) {
    const saved = await ask(session ? "Change time" : "Record time", (close) => html`<${SessionForm} ...${{ session, close }} />`);
    if (saved) await list.reload();
  }

  async function remove(session) {
    const text = `${duration(session.durationSeconds)} on ${day(dayOf(session.startAt))}${session.user ? ` of ${session.user}` : ""}.`;
    if (!(await confirm({ title: "Delete this time?", text }))) return;
    try {
      await del(`/time-sessions/${session.id}`);
      toast("Deleted");
      list.setRows((before) => before.filter(({ id }) => id !== session.id));
    } catch (error) {
      toastError(error);
    }
  }

  const tabs =
    seesOthers &&
    html`<div class="tabs" role="group" aria-label="Whose time">
      <button type="button" aria-pressed=${!isOfAll} onClick=${() => setQuery({ people: undefined, userId: undefined })}>Mine</button>
      <button type="button" aria-pressed=${isOfAll} onClick=${() => setQuery({ people: "all" })}>Everybody's</button>
    </div>`;
  const more = [
    { label: "Export CSV", icon: "download", onClick: () => saveExport("/time-sessions.csv", { from, to, ...filters }).catch(toastError) },
    { label: "Import", icon: "upload", href: link("/time/import") },
  ];
  const record = html`<${Button} kind="primary" icon="plus" onClick=${() => edit(null)}>Record time<//>`;
  const isFiltered = query.projectId || query.billable || query.tag || query.userId;
  const empty = html`<${EmptyState} icon="clock" title=${isFiltered ? "Nothing matches" : "No time on these days"}>
    ${isFiltered ? "Clear a filter, or choose more days." : "Start the timer above, or record time that is over."}
  <//>`;
  return html`<${Page} title="Time" subtitle="What was worked, by day." actions=${html`${tabs}<${Menu} label="More about time" items=${more} />${record}`}>
    <${Filters} ...${{ query, from, to, isOfAll }} />
    <${BulkBar} rows=${rows.filter(isChosen)} clear=${() => setChosen(new Set())} done=${list.reload} />
    <${CursorList} list=${list} empty=${empty}>
      ${byDay(rows).map(
        ([date, sessions], index, days) => html`<${DayOfTime}
          key=${date}
          ...${{ date, sessions, edit, remove, isOfAll, hasAmounts, selection }}
          isWhole=${!list.hasMore || index < days.length - 1}
        />`,
      )}
    <//>
  <//>`;
}

function Filters({ query, from, to, isOfAll }) {
  const chosen = useResource(
    async () => ({
      project: query.projectId && (await withNames([{ projectId: query.projectId }]))[0].project,
      person: query.userId && (await userName(query.userId)),
    }),
    [query.projectId, query.userId],
  );
  const change = (name) => (value) => setQuery({ [name]: value || undefined });
  const refer = (name) => (row) => setQuery({ [name]: row?.id });
  const reference = (id, name) => (id ? { id, name: name ?? "…" } : null);
  const choice = (name, label, more) => ({ name, label, isAlwaysSet: true, ...more });
  const billable = [
    { value: "", label: "All" },
    { value: "true", label: "Billable" },
    { value: "false", label: "Not billable" },
  ];
  return html`<div class="filters" role="search" aria-label="Filter time">
    <${Field} field=${choice("from", "From", { type: "date", max: to })} value=${from} change=${change("from")} />
    <${Field} field=${choice("to", "To", { type: "date", min: from })} value=${to} change=${change("to")} />
    <${Field}
      field=${{ ...projectField({ query: {} }), isAlwaysSet: true, placeholder: "All" }}
      value=${reference(query.projectId, chosen.data?.project)}
      change=${refer("projectId")}
    />
    ${isOfAll &&
    html`<${Field} field=${{ ...PEOPLE, isAlwaysSet: true, placeholder: "Everybody" }} value=${reference(query.userId, chosen.data?.person)} change=${refer("userId")} />`}
    <${Field} field=${choice("billable", "Billable", { type: "select", options: billable })} value=${query.billable || ""} change=${change("billable")} />
  </div>`;
}

function DayOfTime({ date, sessions, edit, remove, isOfAll, hasAmounts, isWhole, selection }) {
  const total = sessions.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  const columns = [
    { name: "description", label: LABELS.description, value: (row) => html`<${What} session=${row} />` },
    isOfAll && { name: "user", label: "Person" },
    { name: "project", label: LABELS.projectId, value: ({ project, task }) => html`<span>${project ?? "–"}${task && html`<span class="muted cell-note"> ${task}</span>`}</span>` },
    { name: "span", label: "From – to", value: (row) => html`<span class="span">${time(row.startAt)} – ${time(row.endAt)}</span>` },
    hasAmounts && { name: "amount", label: "Amount", isNumber: true, value: ({ amount }) => money(amount) },
    { name: "duration", label: "Hours", isNumber: true, value: ({ durationSeconds }) => duration(durationSeconds) },
  ].filter(Boolean);
  const actions = (row) =>
    row.lockedBy
      ? html`<${Badge}>${row.lockedBy === "LOCK" ? "locked" : words(row.lockedBy).toLowerCase()}<//>`
      : html`<${Menu}
          label=${`Change ${row.description || "time"} of ${time(row.startAt)}`}
          items=${[
            { label: "Edit", icon: "edit", onClick: () => edit(row) },
            { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(row) },
          ]}
        />`;
  return html`<section class="day">
    <div class="day-head">
      <h2>${day(date, LONG_DAY)}</h2>
      ${isWhole && html`<span class="day-total">${duration(total)}</span>`}
    </div>
    <${Table} label=${day(date)} rows=${sessions} ...${{ columns, actions, selection }} />
  </section>`;
}

function What({ session }) {
  const { description, tags, billable } = session;
  return html`<span>${description || html`<span class="muted">No description</span>`}</span>${" "}
    <span class="tags">${tags.map((tag) => html` <${Badge}>${tag}<//>`)}${!billable && html` <${Badge}>not billable<//>`}</span>`;
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const date = dayOf(row.startAt);
    days.set(date, [...(days.get(date) ?? []), row]);
  }
  return [...days];
}
