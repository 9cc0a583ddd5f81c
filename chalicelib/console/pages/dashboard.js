/** The dashboard: widgets on a grid, each with its own data. */

import { get, getAll } from "../lib/api.js";
import { loadLibraries } from "../lib/charts.js";
import { instant, time, words } from "../lib/format.js";
import { compacted, placeOf, settled } from "../lib/grid.js";
import { classes, html, useEffect, useMemo, useState } from "../lib/html.js";
import { isOffered } from "../lib/quick_actions.js";
import { useInterval, useResource } from "../lib/resource.js";
import { setQuery } from "../lib/router.js";
import { may, useMe } from "../lib/session.js";
import { TileContent } from "../lib/tiles.js";
import { Badge, Button, EmptyState, Loaded, Page } from "../lib/ui.js";

const MIN_REFRESH_SECONDS = 60;
const PERIODS = ["today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter", "this_year", "last_7_days", "last_30_days", "last_90_days"];

export default function Dashboard({ query }) {
  const me = useMe();
  const widgets = useResource(loadWidgets);
  const [isEditing, setEditing] = useState(false);
  const [refreshes, setRefreshes] = useState(0);
  const mayCustomize = may("widgets:customize");
  const greeting = `Hello ${me.user.firstName}`;
  const period = PERIODS.includes(query.period) ? query.period : undefined;
  const actions = html`${!isEditing && html`<${PeriodChoice} period=${period} />`}
    ${!isEditing && html`<${Button} icon="refresh" onClick=${() => setRefreshes(refreshes + 1)}>Refresh<//>`}
    ${mayCustomize &&
    html`<${Button} icon=${isEditing ? "check" : "edit"} kind=${isEditing && "primary"} onClick=${() => setEditing(!isEditing)}>
      ${isEditing ? "Done" : "Edit"}
    <//>`}`;
  return html`<${Page} title="Dashboard" subtitle=${greeting} actions=${actions} isWide>
    <${Loaded} resource=${widgets} lines=${10}>
      ${(items) =>
        isEditing
          ? html`<${Editing} widgets=${items} change=${widgets.setData} />`
          : html`<${Grid} widgets=${items} ...${{ refreshes, period }} edit=${mayCustomize && (() => setEditing(true))} />`}
    <//>
  <//>`;
}

async function loadWidgets(signal) {
  const widgets = await getAll("/widgets", { limit: 100 }, { signal });
  // Beside the data of the tiles; a failure is shown by the charts, which load them again.
  if (widgets.some(({ type }) => type === "CHART")) loadLibraries().catch(() => undefined);
  return widgets;
}

/** The period of charts and tables: each metric's own, or one for all. Figures stay over their own: their targets are for it. */
function PeriodChoice({ period }) {
  return html`<label class="filter">
    <span class="visually-hidden">Period of charts and tables</span>
    <select class="input" name="period" onChange=${(event) => setQuery({ period: event.currentTarget.value || undefined })}>
      <option value="" selected=${!period}>Each chart's own period</option>
      ${PERIODS.map((value) => html`<option value=${value} selected=${value === period}>${words(value)}</option>`)}
    </select>
  </label>`;
}

/** The edit mode, whose code is loaded when it is wanted. */
function Editing({ widgets, change }) {
  const editor = useResource(() => import("../parts/dashboard_editor.js"));
  return html`<${Loaded} resource=${editor}>${({ DashboardEditor }) => html`<${DashboardEditor} ...${{ widgets, change }} />`}<//>`;
}

function Grid({ widgets, refreshes, period, edit }) {
  const [refused, setRefused] = useState(() => new Set());
  const shown = widgets.filter((widget) => widget.canSeeData !== false && !refused.has(widget.id));
  const positions = useMemo(() => {
    const own = Object.fromEntries(shown.map(({ id, position }) => [id, position]));
    // What is hidden leaves holes.
    return shown.length < widgets.length ? compacted(own) : settled(own);
  }, [shown.map(({ id, version }) => `${id} ${version}`).join()]);
  if (shown.length === 0) {
    const add = edit && html`<${Button} kind="primary" icon="plus" onClick=${edit}>Add a widget<//>`;
    return html`<${EmptyState} icon="dashboard" title="Nothing on this dashboard yet" action=${add}>
      ${edit ? "Add a metric, a chart, a table or the calendar." : "Nobody has shared a widget with your role."}
    <//>`;
  }
  const ordered = [...shown].sort((one, other) => {
    const [here, there] = [positions[one.id], positions[other.id]];
    return here.y - there.y || here.x - there.x;
  });
  const refuse = (id) => setRefused((before) => new Set([...before, id]));
  return html`<div class="grid">
    ${ordered.map(
      (widget) => html`<${Tile} key=${widget.id} ...${{ widget, refreshes, period, refuse }} position=${positions[widget.id]} />`,
    )}
  </div>`;
}

function Tile({ widget, position, refreshes, period, refuse }) {
  const asked = ["CHART", "TABLE"].includes(widget.type) ? period : undefined;
  const data = useResource((signal) => get(`/widgets/${widget.id}/data`, { period: asked }, { signal }), [widget.id, widget.version, refreshes, asked]);
  useInterval(data.reload, Math.max(MIN_REFRESH_SECONDS, widget.refreshRate));
  const isRefused = data.error?.status === 403 || (data.data?.quickActions && !may("widgets:customize") && !data.data.quickActions.some(isOffered));
  useEffect(() => {
    if (isRefused) refuse(widget.id);
  }, [isRefused]);
  if (isRefused) return null;
  const title = widget.title || widget.name;
  const asOf = data.data?.asOf;
  return html`<section class=${classes("tile", `tile-${widget.type.toLowerCase()}`)} style=${placeOf(position)} aria-label=${title}>
    <header class="tile-head">
      <h2>${title}</h2>
      ${data.data?.period && html`<${Badge} tone="accent">${words(data.data.period)}<//>`}
      ${asOf && widget.type !== "METRIC" && html`<span class="tile-as-of" title=${`As of ${instant(asOf)}`}>${time(asOf)}</span>`}
    </header>
    <div class="tile-body" tabindex=${["TABLE", "CALENDAR", "ACTIVITY_FEED", "QUICK_ACTIONS"].includes(widget.type) ? 0 : undefined}>
      <${TileContent} data=${data} type=${widget.type} />
    </div>
  </section>`;
}
