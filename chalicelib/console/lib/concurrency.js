/** Writing over what was read: if somebody else has changed it since, people choose between theirs and their own. */

import { ApiError, get, patch, read } from "./api.js";
import { askConflict, ValueText } from "./dialog.js";
import { day, money, words } from "./format.js";
import { html } from "./html.js";
import { nameOf } from "./reference.js";

/**
 * PATCH what was read with this ETag. Resolves to the entity as it is then, whoever's values won, or to undefined if
 * the caller of the dialog goes on editing. `fields`: those of the form, by which values are shown; `source`: where the
 * entity is read, if elsewhere, or a function that reads it.
 */
export async function patchOver(path, values, etag, { key, fields = [], source = path } = {}) {
  for (let tag = etag, retryKey = key; ; ) {
    try {
      return await patch(path, values, { ifMatch: tag, key: retryKey });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "PRECONDITION_FAILED") throw error;
      const fresh = await (typeof source === "function" ? source() : read(source));
      const choice = await askConflict(await differences(fresh.data, values, fields));
      if (choice === "theirs") return fresh.data;
      if (choice !== "mine") return undefined;
      tag = fresh.etag;
      retryKey = undefined;
    }
  }
}

/** Return a row for each value that differs: its label, theirs and yours as people read them. */
function differences(theirs, yours, fields) {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const rows = leaves(yours, byName)
    .map(([name, value]) => ({ name, yours: value, theirs: name.split(".").reduce((object, part) => object?.[part], theirs) }))
    .filter((row) => JSON.stringify(row.yours ?? null) !== JSON.stringify(row.theirs ?? null));
  return Promise.all(
    rows.map(async ({ name, ...values }) => {
      const field = byName.get(name);
      const [shownTheirs, shownYours] = await Promise.all([shown(field, values.theirs), shown(field, values.yours)]);
      return { label: field?.label ?? words(name), theirs: shownTheirs, yours: shownYours };
    }),
  );
}

/** Return values by their names in the form, which has dots in those of fields inside others. */
function leaves(object, byName, prefix = "") {
  return Object.entries(object).flatMap(([name, value]) => {
    const path = prefix + name;
    const isGroup = [...byName.keys()].some((known) => known.startsWith(`${path}.`));
    return isGroup && value !== null ? leaves(value, byName, `${path}.`) : [[path, value]];
  });
}

/** Return a value as its field shows it: an entity by its name, a choice by its label. */
async function shown(field = {}, value) {
  if (value === null || value === undefined) return html`<${ValueText} value=${null} />`;
  if (field.show) return field.show(value);
  if (field.path) return get(`${field.path}/${value}`).then((row) => nameOf(row.user ?? row), () => "Not found");
  if (field.options) return field.options.find((option) => option.value === String(value))?.label ?? String(value);
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (field.type === "money") return money(typeof value === "number" ? { amount: value, currency: field.currency } : value);
  if (field.type === "date") return day(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ") || "–";
  return html`<${ValueText} value=${value} />`;
}
