/** A week of assignments: a row for each worker, a column for each day. */

import { get } from "../lib/api.js";
import { createAssignment, showAssignment } from "../parts/assignments.js";
import { ReferenceFilter } from "../parts/filters.js";
import { addDays, dayOf, dayRange, time, weekday, weekOf } from "../lib/format.js";
import { classes, html } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { useResource } from "../lib/resource.js";
import { setQuery } from "../lib/router.js";
import { may } from "../lib/session.js";
import { Button, EmptyState, Loaded, Notice, Page } from "../lib/ui.js";
import { instantOf } from "../lib/zones.js";
import { Views } from "./assignments.js";

const MAX_SHOWN = 1_000;
const DAYS = [0, 1, 2, 3, 4, 5, 6];
const FIRST_HOUR = "08:00";

export default function AssignmentsWeek({ query }) {
  const week = weekOf(/^\d{4}-\d\d-\d\d$/.test(query.week ?? "") ? query.week : dayOf());
  const { clientId, workLocationId } = query;
  const list = useResource((signal) => loadWeek(week, { clientId, workLocationId }, signal), [week, clientId, workLocationId]);
  const mayWrite = may("assignments:write");
  const create = mayWrite && html`<${Button} kind="primary" icon="plus" onClick=${() => createAssignment(list.reload)}>New assignment<//>`;
  const show = (first) => setQuery({ week: first });
  return html`<${Page} title="Week" subtitle=${dayRange(week, addDays(week, 6))} isWide actions=${html`<${Views} current="week" />${create}`}>
    <section class="list">
      <div class="toolbar">
        <${Button} icon="chevron-left" label="Week before" onClick=${() => show(addDays(week, -7))} />
        <${Button} onClick=${() => show(undefined)}>This week<//>
        <${Button} icon="chevron-right" label="Next week" onClick=${() => show(addDays(week, 7))} />
        <${ReferenceFilter} name="clientId" label="All clients" path="/clients" />
        <${ReferenceFilter} name="workLocationId" label="All work locations" path="/work-locations" />
      </div>
      <${Loaded} resource=${list} lines=${8}>
        ${({ rows, isCut }) =>
          rows.length === 0
            ? html`<${EmptyState} icon="calendar" title="Nobody is assigned in this week" action=${create}>Cancelled assignments are not shown here.<//>`
            : html`${isCut && html`<${Notice} tone="warning">Only the first ${MAX_SHOWN} assignments are shown. Choose a client or a work location.<//>`}
                <${Week} ...${{ week, rows, mayWrite }} reload=${list.reload} isBusy=${list.isLoading} />`}
      <//>
    </section>
  <//>`;
}

/** The assignments that overlap a week, earliest first, without cancelled ones. */
async function loadWeek(week, filters, signal) {
  const range = { from: instantOf(`${week}T00:00`), to: instantOf(`${addDays(week, 7)}T00:00`) };
  const rows = [];
  let cursor;
  do {
    const page = await get("/assignments", { ...filters, ...range, sortOrder: "asc", limit: 100, cursor }, { signal });
    rows.push(...page.items.filter(({ status }) => status !== "cancelled"));
    cursor = page.nextCursor;
  } while (cursor && rows.length < MAX_SHOWN);
  return { rows, isCut: Boolean(cursor) };
}

function Week({ week, rows, mayWrite, reload, isBusy }) {
  const days = DAYS.map((count) => addDays(week, count));
  const today = dayOf();
  return html`<div class=${classes("table-box", isBusy && "is-busy")}>
    <table class="table week" aria-label="Assignments of the week by worker">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          ${days.map((date) => html`<th scope="col" key=${date} class=${date === today ? "is-today" : undefined}>${weekday(date)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${byWorker(rows).map(
          ([worker, own]) => html`<tr key=${worker.id}>
            <td class="is-main">
              <div class="week-worker">
                ${nameOf(worker)}
                ${mayWrite &&
                html`<${Button}
                  kind="quiet"
                  icon="plus"
                  label=${`Assign ${nameOf(worker)}`}
                  onClick=${() => createAssignment(reload, { workerId: worker, startAt: instantOf(`${today > week ? today : week}T${FIRST_HOUR}`) })}
                />`}
              </div>
            </td>
            ${days.map((date) => html`<${Day} key=${date} date=${date} isToday=${date === today} rows=${own} reload=${reload} />`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Day({ date, rows, isToday, reload }) {
  const begin = instantOf(`${date}T00:00`);
  const end = instantOf(`${addDays(date, 1)}T00:00`);
  const here = rows.filter(({ startAt, endAt }) => startAt < end && (!endAt || endAt > begin));
  return html`<td data-label=${weekday(date)} class=${classes(isToday && "is-today", here.length === 0 && "is-blank")}>
    <div class="week-day">
      ${here.map((row) => {
        return html`<button type="button" key=${row.id} class=${`shift shift-${row.status}`} onClick=${() => showAssignment(row, reload)}>
          <span class="visually-hidden">${nameOf(row.worker)}, ${weekday(date)}</span>
          <strong>${hoursOf(row, begin, end)}</strong><span>${row.position.name}</span>
          <span class="muted">${row.position.workLocation.name}</span>
        </button>`;
      })}
    </div>
  </td>`;
}

/** The hours of an assignment on a day: "08:00–16:30", "from 22:00", "until 06:00" or "all day". */
function hoursOf({ startAt, endAt }, begin, end) {
  const isFromBefore = startAt <= begin;
  const isBeyond = !endAt || endAt >= end;
  if (isFromBefore && isBeyond) return "all day";
  if (isFromBefore) return `until ${time(endAt)}`;
  return isBeyond ? `from ${time(startAt)}` : `${time(startAt)}–${time(endAt)}`;
}

function byWorker(rows) {
  const groups = new Map();
  for (const row of rows) {
    const [, own] = groups.get(row.worker.id) ?? [row.worker, []];
    groups.set(row.worker.id, [row.worker, [...own, row]]);
  }
  return [...groups.values()].sort(([one], [other]) => nameOf(one).localeCompare(nameOf(other)));
}
