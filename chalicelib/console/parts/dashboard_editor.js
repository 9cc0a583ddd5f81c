/** The dashboard's edit mode: tiles are added, moved, sized, set and removed, by pointer or by keyboard. */

import { del, get, patch } from "../lib/api.js";
import { ask, confirm } from "../lib/dialog.js";
import { bounded, COLUMNS, placeOf, settled } from "../lib/grid.js";
import { classes, html, useEffect, useRef, useState } from "../lib/html.js";
import { Icon } from "../lib/icons.js";
import { useResource } from "../lib/resource.js";
import { may } from "../lib/session.js";
import { TileContent } from "../lib/tiles.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Menu } from "../lib/ui.js";
import { WidgetForm } from "./widget_form.js";

const SAVE_DELAY_MILLISECONDS = 500;
const KEYS = {
  ArrowLeft: { x: -1 },
  ArrowRight: { x: 1 },
  ArrowUp: { y: -1 },
  ArrowDown: { y: 1 },
};
const SIZE_KEYS = { ArrowLeft: { w: -1 }, ArrowRight: { w: 1 }, ArrowUp: { h: -1 }, ArrowDown: { h: 1 } };

const titleOf = (widget) => widget.title || widget.name;
const isChangeable = (widget) => may("widgets:share") || widget.scope === "PERSONAL";
const positionsOf = (widgets) => Object.fromEntries(widgets.map(({ id, position }) => [id, position]));
const isElsewhere = (one, other) => ["x", "y", "w", "h"].some((name) => one[name] !== other[name]);
const moved = (position, step) => {
  const next = { ...position };
  for (const [name, by] of Object.entries(step)) next[name] += by;
  return bounded(next);
};

/** `change` sets the widgets; what is moved is stored a moment after the last step. */
export function DashboardEditor({ widgets, change }) {
  const [positions, setPositions] = useState(() => settled(positionsOf(widgets.filter(({ canSeeData }) => canSeeData !== false))));
  const grid = useRef(null);
  const timer = useRef(null);
  const latest = useRef({ widgets, positions });
  latest.current = { widgets, positions };
  useEffect(() => () => (clearTimeout(timer.current), void store()), []);

  /** Put a tile somewhere; `from` are the positions that it is moved in, as they were before a drag. */
  function place(id, position, from = latest.current.positions) {
    const fixed = widgets.filter((widget) => from[widget.id] && !isChangeable(widget)).map((widget) => widget.id);
    const next = settled({ ...from, [id]: position }, [...fixed, id]);
    latest.current.positions = next;
    setPositions(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(store, SAVE_DELAY_MILLISECONDS);
  }

  async function store() {
    const { widgets: stored, positions: wanted } = latest.current;
    const different = ({ id, position }) => wanted[id] && isElsewhere(wanted[id], position);
    for (const widget of stored.filter((item) => isChangeable(item) && different(item))) {
      try {
        const saved = await patch(`/widgets/${widget.id}`, { position: wanted[widget.id] });
        change((items) => items.map((item) => (item.id === saved.id ? { ...item, ...saved } : item)));
      } catch (error) {
        toastError(error);
        return;
      }
    }
  }

  function put(widget) {
    const isNew = !widgets.some(({ id }) => id === widget.id);
    change((items) => (isNew ? [...items, { canSeeData: true, ...widget }] : items.map((item) => (item.id === widget.id ? { ...item, ...widget } : item))));
    if (isNew) setPositions((before) => ({ ...before, [widget.id]: widget.position }));
  }

  const bottom = Math.max(0, ...Object.values(positions).map(({ y, h }) => y + h));
  const add = () => openForm("Add a widget", { y: bottom }, (widget) => (put(widget), toast("The widget is at the end of the dashboard")));
  const set = (widget) => openForm(`Set up ${titleOf(widget)}`, { widget }, put);

  async function remove(widget) {
    const isAgreed = await confirm({ title: "Remove this widget?", text: `${titleOf(widget)} leaves the dashboard; its data stays.`, action: "Remove" });
    if (!isAgreed) return;
    try {
      await del(`/widgets/${widget.id}`);
      change((items) => items.filter(({ id }) => id !== widget.id));
      setPositions(({ [widget.id]: _, ...rest }) => rest);
      toast(`${titleOf(widget)} is removed`);
    } catch (error) {
      toastError(error);
    }
  }

  const shown = widgets.filter(({ id }) => positions[id]);
  return html`<div class="edit-bar">
      <${Button} kind="primary" icon="plus" onClick=${add}>Add a widget<//>
      <p class="muted" id="edit-help">Drag a tile, or its corner. With the keyboard: arrows move, Shift and arrows size.</p>
    </div>
    ${shown.length === 0 && html`<${EmptyState} icon="dashboard" title="No widgets yet">Add a metric, a chart, a table or the calendar.<//>`}
    <div class="grid grid-edit" ref=${grid}>
      ${shown.map(
        (widget) => html`<${EditedTile} key=${widget.id} ...${{ widget, positions, place, set, remove, grid }} />`,
      )}
    </div>`;
}

function openForm(title, properties, done) {
  return ask(title, (close) => html`<${WidgetForm} ...${properties} cancel=${() => close()} done=${(widget) => (close(), done(widget))} />`);
}

function EditedTile({ widget, positions, place, set, remove, grid }) {
  const title = titleOf(widget);
  const position = positions[widget.id];
  const drag = useRef(null);
  const data = useResource((signal) => get(`/widgets/${widget.id}/data`, undefined, { signal }), [widget.id, JSON.stringify([widget.config, widget.chartType])]);
  // To be seen, not used.
  const content = html`<div class="tile-body" inert><${TileContent} data=${data} type=${widget.type} /></div>`;
  const kind = `tile-${widget.type.toLowerCase()}`;
  if (!isChangeable(widget)) {
    return html`<section class=${classes("tile", "is-fixed", kind)} style=${placeOf(position)} aria-label=${title}>
      <header class="tile-head"><h2>${title}</h2><${Badge}>shared<//></header>
      ${content}
    </section>`;
  }

  /** Follow the pointer in steps of the grid's cells. */
  function begin(event, isSize) {
    if (event.button !== 0 || event.target.closest(".menu")) return;
    event.preventDefault();
    event.stopPropagation();
    const box = grid.current.getBoundingClientRect();
    const gap = parseFloat(getComputedStyle(grid.current).columnGap);
    const row = parseFloat(getComputedStyle(grid.current).gridAutoRows);
    drag.current = { isSize, from: [event.clientX, event.clientY], start: positions, cell: [(box.width + gap) / COLUMNS, row + gap] };
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  function follow(event) {
    if (!drag.current) return;
    const { isSize, from, start, cell } = drag.current;
    const by = [event.clientX - from[0], event.clientY - from[1]].map((distance, axis) => Math.round(distance / cell[axis]));
    const next = moved(start[widget.id], isSize ? { w: by[0], h: by[1] } : { x: by[0], y: by[1] });
    if (isElsewhere(next, position)) place(widget.id, next, start);
  }

  const end = () => (drag.current = null);

  function handleKey(event) {
    if (event.target !== event.currentTarget) return;
    const step = (event.shiftKey ? SIZE_KEYS : KEYS)[event.key];
    if (!step) return;
    event.preventDefault();
    place(widget.id, moved(position, step));
  }

  const items = [
    { label: "Set up", icon: "settings", onClick: () => set(widget) },
    { label: "Remove", icon: "trash", isDanger: true, onClick: () => remove(widget) },
  ];
  const pointer = { onPointerMove: follow, onPointerUp: end, onPointerCancel: end };
  return html`<section
    class=${classes("tile", "is-movable", kind)}
    style=${placeOf(position)}
    tabindex="0"
    role="group"
    aria-label=${`${title}, column ${position.x + 1}, row ${position.y + 1}, ${position.w} wide, ${position.h} high`}
    aria-describedby="edit-help"
    onKeyDown=${handleKey}
    onPointerDown=${(event) => begin(event, false)}
    ...${pointer}
  >
    <header class="tile-head">
      <h2>${title}</h2>
      ${widget.scope === "PERSONAL" && html`<${Badge} tone="accent">only me<//>`}
      <${Menu} label=${`Change ${title}`} items=${items} />
    </header>
    ${content}
    <span class="tile-corner" aria-hidden="true" onPointerDown=${(event) => begin(event, true)} ...${pointer}><${Icon} name="corner" size=${14} /></span>
  </section>`;
}
