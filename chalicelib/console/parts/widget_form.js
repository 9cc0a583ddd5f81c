/** The form of a widget, new or changed: its fields follow from its type. */

import { getAll, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form, nested } from "../lib/form.js";
import { words } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { may } from "../lib/session.js";
import { Loaded } from "../lib/ui.js";

const choices = (...values) => values.map((value) => ({ value, label: words(value) }));

const LIMITS = { TABLE: [20, 100], ACTIVITY_FEED: [10, 50], QUICK_ACTIONS: [12, 50], CALENDAR: [100, 200] };
const SIZES = { METRIC: [3, 2], CHART: [6, 4], TABLE: [4, 4], ACTIVITY_FEED: [4, 4], QUICK_ACTIONS: [12, 2], CALENDAR: [4, 4] };
const AUDIENCES = [
  { value: "ORGANIZATION", label: "Everybody" },
  { value: "PERSONAL", label: "Only me" },
];

function fieldsFor(type, metrics, isNew) {
  const isOf = (...types) => types.includes(type);
  const limit = LIMITS[type];
  return [
    isNew && { name: "type", label: "Type", type: "select", isAlwaysSet: true, isRequired: true, initial: "METRIC", options: choices(...Object.keys(SIZES)) },
    { name: "title", label: "Title", maxLength: 255, hint: "By default the type's name" },
    isOf("METRIC", "CHART", "TABLE") && {
      name: "config.metricId",
      label: "Metric",
      type: "select",
      isRequired: type !== "TABLE",
      placeholder: type === "TABLE" ? "None: the latest assignments" : undefined,
      options: metrics.map(({ id, name }) => ({ value: id, label: name })),
    },
    isOf("CHART") && { name: "chartType", label: "Drawn as", type: "select", isHalf: true, placeholder: "As the metric says", options: choices("area", "bar", "gauge", "line", "number", "pie") },
    isOf("CHART", "TABLE") && { name: "config.step", label: "Step", type: "select", isHalf: true, isAlwaysSet: true, initial: "day", options: choices("day", "week", "month") },
    isOf("CHART") && { name: "config.showPrevious", label: "Compared with the period before", type: "checkbox", initial: true },
    isOf("CALENDAR") && { name: "config.daysBack", label: "Days back", type: "number", isHalf: true, isRequired: true, initial: 0, min: 0, max: 31 },
    isOf("CALENDAR") && { name: "config.daysAhead", label: "Days ahead", type: "number", isHalf: true, isRequired: true, initial: 13, min: 0, max: 62 },
    limit && { name: "config.limit", label: "At most", type: "number", isHalf: true, isRequired: true, initial: limit[0], min: 1, max: limit[1] },
    may("widgets:share") && { name: "scope", label: "Seen by", type: "select", isHalf: true, isAlwaysSet: true, initial: "ORGANIZATION", options: AUDIENCES },
  ].filter(Boolean);
}

/** `widget`: the one to change, or none for a new one at the row `y`. `done(widget)` gets it as it is stored. */
export function WidgetForm({ widget, y = 0, done, cancel }) {
  const loaded = useResource(async (signal) => {
    const metrics = await getAll("/metrics", { pageSize: 100, sortBy: "name" }, { signal });
    return { metrics, current: widget && (await read(`/widgets/${widget.id}`)) };
  }, [widget?.id]);

  async function submit(values, key) {
    const body = nested(values);
    if (!widget) {
      const [w, h] = SIZES[body.type];
      return done(await post("/widgets", { ...body, position: { x: 0, y, w, h } }, { key }));
    }
    const { data, etag } = loaded.data.current;
    const fields = fieldsFor(data.type, loaded.data.metrics, false);
    const config = { ...data.config, ...body.config };
    const saved = await patchOver(`/widgets/${widget.id}`, { ...body, config }, etag, { key, fields });
    return saved && done(saved);
  }

  return html`<${Loaded} resource=${loaded}>
    ${({ metrics, current }) => html`<${Form}
      fields=${(inputs) => fieldsFor(widget?.type ?? inputs.type ?? "METRIC", metrics, !widget)}
      initial=${current ? flat(current.data) : {}}
      isPatch=${Boolean(widget)}
      action=${widget ? "Save" : "Add"}
      ...${{ submit, cancel }}
    />`}
  <//>`;
}

const flat = ({ config, ...widget }) => ({
  ...widget,
  ...Object.fromEntries(Object.entries(config).map(([name, value]) => [`config.${name}`, value])),
});
