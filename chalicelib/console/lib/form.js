/**
 * Forms from a description: `fields` are `{name, label, type, hint, options, isRequired, …}`.
 *
 * `fields` may be a function of the inputs so far, for fields that depend on others. A name with dots, as `config.limit`,
 * is a field inside another; `nested(values)` makes the body of it. Types: text, email, password, tel, number, date,
 * datetime, time, money, color, list, textarea, select, checkbox, reference and hidden. A field may bring its own
 * `control`, a component, with `toInput(value)` and `toValue(input)`, which is null where the input is not valid. The API
 * checks everything; its field errors appear at the fields, all others above the form.
 */

import { ApiError, messageOf } from "./api.js";
import { formats, minorUnits } from "./format.js";
import { classes, html, useId, useRef, useState } from "./html.js";
import { ReferenceInput } from "./reference.js";
import { Button, Notice } from "./ui.js";
import { exactInstant, wallTimeOf } from "./zones.js";

/**
 * `submit(values, key)` sends the values: those of empty fields are null if `isPatch`, else absent. `key` is an
 * idempotency key that stays until the values change, so pressing the button again repeats nothing. `children` may be
 * a function of the inputs.
 */
export function Form({ fields: described, initial = {}, submit, action = "Save", cancel, isPatch = false, isWide = false, children }) {
  const [typed, setTyped] = useState({});
  const [errors, setErrors] = useState({});
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const element = useRef(null);
  const key = useRef(null);
  const isFixed = Array.isArray(described);
  const fields = isFixed ? described : described({ ...inputsOf(described(typed), initial), ...typed });
  const inputs = { ...inputsOf(fields, initial), ...typed };

  function change(name, value) {
    key.current = null;
    setTyped((before) => ({ ...before, [name]: value }));
    setErrors(({ [name]: _, ...rest }) => rest);
  }

  async function send(event) {
    event.preventDefault();
    if (isBusy) return;
    const { values, problems } = valuesOf(fields, inputs, { isPatch, initial });
    setErrors(problems);
    setFailure(null);
    if (Object.keys(problems).length > 0) return focusOn(element.current, fields, problems);
    setBusy(true);
    key.current ??= crypto.randomUUID();
    try {
      await submit(values, key.current);
      key.current = null;
    } catch (error) {
      show(error);
    } finally {
      setBusy(false);
    }
  }

  function show(error) {
    if (!(error instanceof ApiError)) throw error;
    const { here, elsewhere } = placed(fields, error.fieldErrors);
    setErrors(here);
    const texts = Object.entries(elsewhere).flatMap(([path, messages]) => messages.map((text) => `${path}: ${text}`));
    const isAtFields = Object.keys(here).length > 0 && texts.length === 0;
    setFailure(isAtFields ? null : texts.length > 0 ? texts.join("; ") : messageOf(error));
    focusOn(element.current, fields, here);
  }

  return html`<form ref=${element} class=${classes("form", isWide && "form-wide")} noValidate onSubmit=${send}>
    ${failure && html`<${Notice} tone="bad">${failure}<//>`}
    ${fields.map(
      (field) =>
        field.type !== "hidden" &&
        html`<${Field}
          key=${field.name}
          field=${field}
          value=${inputs[field.name]}
          errors=${errors[field.name]}
          change=${(value) => change(field.name, value)}
          inputs=${inputs}
        />`,
    )}
    ${typeof children === "function" ? children(inputs) : children}
    <footer class="form-foot">
      ${cancel && html`<${Button} onClick=${cancel}>Cancel<//>`}
      <button type="submit" class="button button-primary" aria-busy=${isBusy} disabled=${isBusy}>
        ${isBusy && html`<span class="spinner" />`}<span>${action}</span>
      </button>
    </footer>
  </form>`;
}

/** One field with its label, hint and errors. */
export function Field({ field, value, errors = [], change, inputs }) {
  const id = useId();
  const notes = [field.hint && `${id}-hint`, errors.length > 0 && `${id}-error`].filter(Boolean).join(" ");
  const attributes = {
    id,
    name: field.name,
    "aria-invalid": errors.length > 0,
    "aria-describedby": notes || undefined,
    "aria-required": field.isRequired || undefined,
  };
  const control = html`<${Control} ...${{ field, value, change, attributes, inputs }} />`;
  const below = html`${field.hint && html`<span class="hint" id=${`${id}-hint`}>${field.hint}</span>`}
  ${errors.length > 0 &&
  html`<span class="field-error" id=${`${id}-error`}>${errors.map((text) => html`<span>${capital(text)}</span>`)}</span>`}`;
  if (field.control) {
    return html`<fieldset class="field"><legend>${field.label}</legend>${control} ${below}</fieldset>`;
  }
  if (field.type === "checkbox") {
    return html`<div class="field"><label class="check" for=${id}>${control}<span>${field.label}</span></label>${below}</div>`;
  }
  return html`<div class=${classes("field", field.isHalf && "field-half")}>
    <label for=${id}>${field.label}${!field.isRequired && !field.isAlwaysSet && html` <span class="optional">optional</span>`}</label>
    ${control} ${below}
  </div>`;
}

function Control({ field, value, change, attributes, inputs }) {
  if (field.control) return html`<${field.control} ...${{ value, change, inputs }} />`;
  const typed = (event) => change(event.currentTarget.value);
  switch (field.type) {
    case "select":
      return html`<select ...${attributes} value=${value} onChange=${typed}>
        ${!field.isAlwaysSet && html`<option value="">${field.placeholder || "Choose…"}</option>`}
        ${field.options.map((option) => html`<option value=${option.value} selected=${option.value === value}>${option.label}</option>`)}
      </select>`;
    case "textarea":
      return html`<textarea ...${attributes} class=${field.isCode && "is-code"} spellcheck=${!field.isCode} rows=${field.rows || 3} maxlength=${field.maxLength} value=${value} onInput=${typed} />`;
    case "checkbox":
      return html`<input ...${attributes} type="checkbox" checked=${value} onChange=${(event) => change(event.currentTarget.checked)} />`;
    case "reference":
      return html`<${ReferenceInput} field=${field} value=${value} change=${change} attributes=${attributes} />`;
    default:
      return html`<input
        ...${attributes}
        type=${{ datetime: "datetime-local", money: "text" }[field.type] || field.type || "text"}
        inputmode=${field.type === "money" ? "decimal" : undefined}
        value=${value}
        autocomplete=${field.autocomplete || "off"}
        autofocus=${field.isFirst}
        placeholder=${field.placeholder}
        min=${field.min}
        max=${field.max}
        step=${field.step}
        maxlength=${field.maxLength}
        readonly=${field.isReadOnly}
        onInput=${typed}
      />`;
  }
}

function inputsOf(fields, initial) {
  const entries = fields.map((field) => {
    const value = initial[field.name] ?? field.initial;
    if (field.toInput) return [field.name, field.toInput(value)];
    if (field.type === "checkbox") return [field.name, Boolean(value)];
    if (value === undefined || value === null) return [field.name, field.type === "reference" ? null : ""];
    if (field.type === "datetime") return [field.name, wallTimeOf(value)];
    if (field.type === "money") return [field.name, plainAmount(value)];
    return [field.name, field.type === "reference" || field.type === "hidden" ? value : String(value)];
  });
  return Object.fromEntries(entries);
}

function plainAmount({ amount, currency }) {
  const parts = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return (amount / 10 ** parts.maximumFractionDigits).toFixed(parts.maximumFractionDigits);
}

function valuesOf(fields, inputs, { isPatch, initial }) {
  const values = {};
  const problems = {};
  for (const field of fields) {
    const input = inputs[field.name];
    if (field.type === "checkbox") {
      values[field.name] = input;
      continue;
    }
    if (input === "" || input === null || input === undefined) {
      if (isPatch && !field.isRequired && known(initial[field.name])) values[field.name] = null;
      if (field.isRequired) problems[field.name] = ["is required"];
      continue;
    }
    const value = valueOf(field, input, isPatch ? initial[field.name] : undefined);
    if (value === null) problems[field.name] = [field.type === "money" ? "must be an amount, such as 12.50" : "is not valid"];
    else values[field.name] = value;
  }
  return { values, problems };
}

const known = (value) => value !== null && value !== undefined && value !== "";

function valueOf(field, input, before) {
  if (field.toValue) return field.toValue(input);
  if (field.type === "number") return Number.isNaN(Number(input)) ? null : Number(input);
  if (field.type === "datetime") return exactInstant(input, before);
  if (field.type === "reference") return input.id;
  if (field.type === "money") {
    const currency = field.currency || formats().currency;
    const minor = minorUnits(input, currency);
    return minor === null ? null : { amount: minor, currency };
  }
  if (field.type === "list") return input.split(",").map((item) => item.trim()).filter(Boolean);
  return input;
}

/** Split the API's errors, by dotted path, into those of fields here and all others. */
function placed(fields, fieldErrors) {
  const here = {};
  const elsewhere = {};
  for (const [path, messages] of Object.entries(fieldErrors)) {
    const field = fields.find(({ name, type }) => type !== "hidden" && (path === name || path.startsWith(`${name}.`)));
    if (field) here[field.name] = [...(here[field.name] || []), ...messages];
    else elsewhere[path] = messages;
  }
  return { here, elsewhere };
}

function focusOn(form, fields, problems) {
  const first = fields.find(({ name }) => problems[name]);
  if (first) requestAnimationFrame(() => form?.elements[first.name]?.focus?.());
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Return values with dotted names as nested objects: `{"config.limit": 5}` is `{config: {limit: 5}}`. */
export function nested(values) {
  const result = {};
  for (const [path, value] of Object.entries(values)) {
    const names = path.split(".");
    const last = names.pop();
    const place = names.reduce((object, name) => (object[name] ??= {}), result);
    place[last] = value;
  }
  return result;
}

/** Return the fields of a JSON Schema of type object: of a quick action's form, for example. */
export function fieldsOf(schema) {
  const required = new Set(schema.required || []);
  return Object.entries(schema.properties || {}).map(([name, property]) => ({
    name,
    label: property.title || name,
    hint: property.description,
    isRequired: required.has(name),
    initial: property.const ?? property.default,
    maxLength: property.maxLength,
    min: property.minimum,
    max: property.maximum,
    step: property.type === "integer" ? 1 : property.type === "number" ? "any" : undefined,
    options: property.enum?.map((value) => ({ value, label: String(value) })),
    ...typeOf(property),
  }));
}

const REFERENCES = {
  client: "/clients",
  worker: "/workers",
  position: "/positions",
  "work location": "/work-locations",
  project: "/projects",
};

function typeOf(property) {
  if ("const" in property) return { type: "hidden" };
  if (property.enum) return { type: "select" };
  if (property.type === "boolean") return { type: "checkbox" };
  if (property.type === "integer" || property.type === "number") return { type: "number" };
  if (property.type === "array") return { type: "list", hint: property.description || "Separated by commas" };
  const path = REFERENCES[(property.title || "").toLowerCase()];
  if (property.format === "uuid" && path) return { type: "reference", path };
  if (property.format === "date-time") return { type: "datetime" };
  if (["date", "email", "time"].includes(property.format)) return { type: property.format };
  return { type: property.maxLength > 300 ? "textarea" : "text" };
}

