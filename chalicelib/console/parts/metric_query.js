/** Queries of metrics as form fields, built from the catalogue; those that do not fit are written as JSON. */

import { words } from "../lib/format.js";

const PATHS = { client: "/clients", workLocation: "/work-locations", position: "/positions", worker: "/workers", project: "/projects" };
const OPERATORS = { eq: "is", ne: "is not", gt: "more than", gte: "at least", lt: "less than", lte: "at most", isSet: "is set", isNotSet: "is not set" };
const AGGREGATES = { sum: "Sum", avg: "Average", min: "Least", max: "Greatest", count: "Count", countDistinct: "Number of different" };
const WITHOUT_VALUE = new Set(["isSet", "isNotSet"]);
const COUNT = "count:";

const select = (name, label, options, more) => ({ name, label, type: "select", options, ...more });
const sourceOf = (catalogue, name) => catalogue.sources.find((source) => source.name === name) ?? catalogue.sources[0];

function measures(source) {
  const ofFields = source.fields.flatMap(({ name, label, aggregates }) =>
    aggregates
      .filter((aggregate) => aggregate !== "count")
      .map((aggregate) => ({ value: `${aggregate}:${name}`, label: `${AGGREGATES[aggregate]}: ${label}` })),
  );
  return [{ value: COUNT, label: `Count of ${source.label.toLowerCase()}` }, ...ofFields];
}

/** Return the fields of the query for the inputs so far. */
export function queryFields(catalogue, inputs) {
  const mode = select("mode", "Query", [{ value: "builder", label: "From the catalogue" }, { value: "json", label: "As JSON" }], { isAlwaysSet: true, initial: "builder" });
  if (inputs.mode === "json") return [mode, { name: "json", label: "JSON", type: "textarea", rows: 12, isCode: true, isRequired: true, hint: "The query language is described in docs/metrics.md." }];
  const source = sourceOf(catalogue, inputs.source);
  const momentary = isMomentary(source, inputs.measure);
  const condition = source.fields.find(({ name }) => name === inputs.whereField);
  const plain = (values) => values.map((value) => ({ value, label: words(value) }));
  return [
    mode,
    select("source", "Source", catalogue.sources.map(({ name, label }) => ({ value: name, label })), { isAlwaysSet: true, initial: source.name, isHalf: true }),
    select("measure", "Measure", measures(source), { isAlwaysSet: true, initial: COUNT, isHalf: true }),
    !momentary && select("period", "Period", plain(catalogue.periods), { isAlwaysSet: true, initial: "last_30_days", isHalf: true }),
    select("groupBy", "Grouped by", source.fields.filter((field) => field.isDimension).map(({ name, label }) => ({ value: name, label })), { placeholder: "Not grouped", isHalf: true }),
    select("whereField", "Only where", source.fields.filter((field) => offered(field).length > 0).map(({ name, label }) => ({ value: name, label })), { placeholder: "No condition", isHalf: true }),
    condition && select("whereOp", "Condition", offered(condition).map((value) => ({ value, label: OPERATORS[value] })), { isAlwaysSet: true, initial: offered(condition)[0], isHalf: true }),
    condition && !WITHOUT_VALUE.has(inputs.whereOp) && valueField(condition, plain),
  ].filter(Boolean);
}

const offered = (field) => field.operators.filter((operator) => operator in OPERATORS);

function isMomentary(source, measure = COUNT) {
  return source.fields.find(({ name }) => name === measure.split(":")[1])?.isMomentary ?? false;
}

function valueField(field, plain) {
  const shared = { name: "whereValue", label: field.label, isRequired: true, isHalf: true };
  if (field.type === "enum") return { ...shared, type: "select", options: plain(field.values) };
  if (field.type === "boolean") return { ...shared, type: "select", options: [{ value: "true", label: "Yes" }, { value: "false", label: "No" }] };
  if (field.type === "id" && PATHS[field.entity]) return { ...shared, type: "reference", path: PATHS[field.entity] };
  return { ...shared, type: { instant: "datetime", number: "number" }[field.type] ?? "text" };
}

/** Return the query of the inputs, or null while it is not complete. */
export function queryOf(catalogue, inputs) {
  if (inputs.mode === "json") {
    try {
      return JSON.parse(inputs.json);
    } catch {
      return null;
    }
  }
  const source = sourceOf(catalogue, inputs.source);
  const [aggregate, field] = (inputs.measure || COUNT).split(":");
  const condition = source.fields.find(({ name }) => name === inputs.whereField);
  if (condition && !WITHOUT_VALUE.has(inputs.whereOp) && [null, undefined, ""].includes(inputs.whereValue)) return null;
  return {
    type: isMomentary(source, inputs.measure) ? "snapshot" : "simple",
    source: source.name,
    aggregate,
    ...(field && { field }),
    ...(!isMomentary(source, inputs.measure) && { period: inputs.period || "last_30_days" }),
    ...(inputs.groupBy && { groupBy: [inputs.groupBy] }),
    ...(condition && { where: [conditionOf(condition, inputs)] }),
  };
}

function conditionOf(field, { whereOp, whereValue }) {
  const op = whereOp || offered(field)[0];
  if (WITHOUT_VALUE.has(op)) return { field: field.name, op };
  const value = field.type === "boolean" ? whereValue === "true" : (whereValue.id ?? whereValue);
  return { field: field.name, op, value: field.type === "number" ? Number(value) : value };
}

const BUILT = new Set(["type", "version", "compare", "source", "aggregate", "field", "period", "groupBy", "where"]);

/** Return the inputs that show a query. A condition, or anything that the builder has no field for, is shown as JSON. */
export function inputsOf(query) {
  const isBuilt =
    ["simple", "snapshot"].includes(query.type) &&
    Object.keys(query).every((name) => BUILT.has(name)) &&
    (query.where ?? []).length === 0 &&
    typeof (query.period ?? "") === "string" &&
    ["previous_period", undefined].includes(query.compare);
  if (!isBuilt) return { mode: "json", json: JSON.stringify(query, null, 2) };
  const { source, aggregate, field, period, groupBy } = query;
  return { mode: "builder", source, measure: `${aggregate ?? "count"}:${field ?? ""}`, period, groupBy: groupBy?.[0] };
}
