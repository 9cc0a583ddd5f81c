/** The content of a dashboard's tiles, by the type of the widget. */

import { messageOf } from "./api.js";
import { Chart } from "./charts.js";
import * as format from "./format.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { isOffered, QuickAction } from "./quick_actions.js";
import { link } from "./router.js";
import { SeverityIcon } from "./severity.js";
import { Badge, Button, EmptyState, Skeleton } from "./ui.js";

const TONES = { warning: "warning", critical: "bad" };

/** A value of a metric with its unit. */
export function shownValue(value, { format: kind, unit }) {
  if (value === null || value === undefined) return "–";
  if (kind === "currency") return format.amount(value, /^[A-Z]{3}$/.test(unit || "") ? unit : undefined);
  if (kind === "percentage") return format.percent(value);
  const isTime = unit === "h" || unit === "hours";
  return isTime ? format.hours(value) : unit ? `${format.number(value)} ${unit}` : format.number(value);
}

function MetricTile({ data }) {
  const { metric } = data;
  const { value, change, changePercent, status, target, progress } = metric;
  const isUp = change > 0;
  return html`<div class="metric">
    <p class=${classes("metric-value", TONES[status] && `tone-${TONES[status]}`)}>${shownValue(value, metric)}</p>
    <p class="metric-notes">
      ${change !== null &&
      html`<span class="metric-change">
        ${change !== 0 && html`<${Icon} name=${isUp ? "sort-asc" : "sort-desc"} size=${14} />`}
        ${change === 0 ? "unchanged" : changePercent === null ? shownValue(change, metric) : format.percent(Math.abs(changePercent))}
        <span class="visually-hidden">${isUp ? "more" : "less"} than before</span>
      </span>`}
      ${TONES[status] && html`<${Badge} tone=${TONES[status]}>${format.words(status)}<//>`}
    </p>
    ${target !== null &&
    html`<div class="metric-target">
      <progress max="100" value=${Math.min(100, Math.max(0, progress ?? 0))} aria-label="Share of the target" />
      <span class="muted">${format.percent(progress, 0)} of ${shownValue(target, metric)}</span>
    </div>`}
  </div>`;
}

function ChartTile({ data }) {
  return data.spec ? html`<${Chart} spec=${data.spec} />` : html`<${EmptyState} icon="chart" title="No values yet" />`;
}

const CELLS = {
  date: (value) => format.day(value),
  hours: (value) => format.hours(value),
  instant: (value) => format.instant(value),
  money: (value) => format.amount(value),
  number: (value) => format.number(value),
  percent: (value) => format.percent(value),
  text: (value) => value ?? "–",
};
const TEXTS = new Set(["date", "instant", "text"]);

function TableTile({ data }) {
  if (data.rows.length === 0) return html`<${EmptyState} icon="document" title="No rows yet" />`;
  const style = ({ type }) => (TEXTS.has(type) ? undefined : "is-number");
  return html`<table class="table table-compact">
    <thead>
      <tr>${data.columns.map((column) => html`<th scope="col" class=${style(column)}>${column.label}</th>`)}</tr>
    </thead>
    <tbody>
      ${data.rows.map(
        (row) => html`<tr>${data.columns.map((column) => html`<td class=${style(column)}>${CELLS[column.type](row[column.name])}</td>`)}</tr>`,
      )}
    </tbody>
  </table>`;
}

function FeedTile({ data }) {
  if (data.activities.length === 0) return html`<${EmptyState} icon="bell" title="No activities yet" />`;
  return html`<ul class="tile-feed">
      ${data.activities.map(
        (activity) => html`<li key=${activity.id}>
          <${SeverityIcon} severity=${activity.severity} />
          <div>
            <p>${activity.title}</p>
            <p class="muted">${format.relative(activity.createdAt)}</p>
          </div>
        </li>`,
      )}
    </ul>
    <p class="tile-more"><a href=${link("/activities")}>All activities</a></p>`;
}

function QuickActionsTile({ data, reload }) {
  const offered = data.quickActions.filter(isOffered);
  if (offered.length === 0) return html`<${EmptyState} icon="play" title="No quick actions for your role" />`;
  return html`<div class="quick-grid">
    ${offered.map((action) => html`<${QuickAction} key=${action.id} action=${action} done=${reload} />`)}
  </div>`;
}

function CalendarTile({ data }) {
  const days = [];
  for (let day = data.from; day <= data.to; day = format.addDays(day, 1)) days.push(day);
  const starts = new Map(days.map((day) => [day, []]));
  const running = [];
  for (const assignment of data.assignments) {
    const day = format.dayOf(assignment.startAt);
    const isOver = assignment.endAt !== null && assignment.endAt <= data.asOf;
    // A night shift that began before the first day is under way, or ended on it.
    (starts.get(day) ?? (isOver ? starts.get(data.from) : running)).push(assignment);
  }
  const shown = days.filter((day) => starts.get(day).length > 0);
  if (shown.length + running.length === 0) return html`<${EmptyState} icon="calendar" title="Nobody is assigned on these days" />`;
  const today = format.dayOf();
  return html`${running.length > 0 && html`<${CalendarDay} title="Under way" assignments=${running} />`}
    ${shown.map(
      (day) => html`<${CalendarDay} key=${day} title=${format.weekday(day)} day=${day} isToday=${day === today} assignments=${starts.get(day)} />`,
    )}
    ${!data.isComplete && html`<p class="muted">There are more than are shown.</p>`}`;
}

function CalendarDay({ title, day, isToday, assignments }) {
  return html`<section class=${classes("agenda-day", isToday && "is-today")}>
    <h3>${title}${isToday && html` <${Badge} tone="accent">today<//>`}</h3>
    <ul>
      ${assignments.map(
        ({ id, startAt, endAt, worker, position }) => html`<li key=${id}>
          <span class="agenda-time">${day ? span(day, startAt, endAt) : `since ${format.dateOf(startAt)}`}</span>
          <span class="agenda-who">${worker.firstName} ${worker.lastName}</span>
          <span class="muted">${position.name}, ${position.workLocation.name}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function span(day, startAt, endAt) {
  if (format.dayOf(startAt) < day) return `until ${format.time(endAt)}`;
  if (endAt === null) return `from ${format.time(startAt)}`;
  const isSameDay = format.dayOf(startAt) === format.dayOf(endAt) || new Date(endAt) - new Date(startAt) < 86_400_000;
  return `${format.time(startAt)} – ${isSameDay ? format.time(endAt) : format.dateOf(endAt)}`;
}

const TILES = {
  METRIC: MetricTile,
  CHART: ChartTile,
  TABLE: TableTile,
  ACTIVITY_FEED: FeedTile,
  QUICK_ACTIONS: QuickActionsTile,
  CALENDAR: CalendarTile,
};

/** Why a widget has no data though the request was right: its metric is deleted or fails. */
const TileError = ({ error }) => html`<${EmptyState} icon="alert" title=${sentence(error.message)} />`;

/** What is in a tile: its data, once it is there, or why not. `data` is a resource of `getWidgetData`. */
export function TileContent({ data, type }) {
  if (data.data === undefined) {
    if (!data.error) return html`<${Skeleton} lines=${3} />`;
    return html`<div class="tile-failed" role="alert">
      <p>${messageOf(data.error)}</p>
      <${Button} icon="refresh" onClick=${data.reload}>Try again<//>
    </div>`;
  }
  if (data.data.error) return html`<${TileError} error=${data.data.error} />`;
  const Content = TILES[type];
  return html`<${Content} data=${data.data} reload=${data.reload} />`;
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
