/** An input that chooses an entity by typing part of its name: a combobox over a list of the API. */

import { get } from "./api.js";
import { html, useEffect, useId, useRef, useState } from "./html.js";

const DELAY_MILLISECONDS = 200;

/** Names of a row in lists of the API. */
export const nameOf = (row) => row.name || [row.firstName, row.lastName].filter(Boolean).join(" ") || row.title || row.id;

async function searched({ path, query }, text) {
  const size = path === "/projects" ? { limit: 8 } : { pageSize: 8 };
  const page = await get(path, { ...query, ...size, search: text });
  return page.data || page.items;
}

/**
 * `field`: `path` of the list, `query` of further filters, `describe(row)` a second line; `load(text)` in place of the
 * path, for a list that the API does not search. The value is the chosen row (`{id, name}`), or null.
 */
export function ReferenceInput({ field, value, change, attributes }) {
  const [text, setText] = useState(value ? nameOf(value) : "");
  const [rows, setRows] = useState(null);
  const [active, setActive] = useState(0);
  const timer = useRef(null);
  const asked = useRef(0);
  const listId = useId();
  useEffect(() => setText(value ? nameOf(value) : ""), [value?.id]);
  useEffect(() => () => clearTimeout(timer.current), []);

  function search(typed, delay = DELAY_MILLISECONDS) {
    clearTimeout(timer.current);
    const turn = (asked.current += 1);
    timer.current = setTimeout(async () => {
      try {
        const matching = await (field.load ? field.load(typed.trim()) : searched(field, typed.trim()));
        if (turn !== asked.current) return;
        setRows(matching);
        setActive(0);
      } catch {
        if (turn === asked.current) setRows([]);
      }
    }, delay);
  }

  function choose(row) {
    asked.current += 1;
    setRows(null);
    setText(nameOf(row));
    change(row);
  }

  function close() {
    asked.current += 1;
    clearTimeout(timer.current);
    setRows(null);
    setText(value ? nameOf(value) : "");
  }

  function handleKey(event) {
    if (rows === null) {
      if (event.key === "ArrowDown") search(value ? "" : text, 0);
      return;
    }
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && rows.length > 0) {
      event.preventDefault();
      setActive((active + move + rows.length) % rows.length);
    } else if (event.key === "Enter" && rows[active]) {
      event.preventDefault();
      choose(rows[active]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  }

  function type(event) {
    setText(event.currentTarget.value);
    if (value) change(null);
    search(event.currentTarget.value);
  }

  return html`<div class="combobox">
    <input
      ...${attributes}
      type="text"
      role="combobox"
      autocomplete="off"
      aria-autocomplete="list"
      aria-expanded=${rows !== null}
      aria-controls=${listId}
      aria-activedescendant=${rows?.[active] ? `${listId}-${active}` : undefined}
      placeholder=${field.placeholder || "Type to search"}
      value=${text}
      onInput=${type}
      onClick=${() => rows === null && search("", 0)}
      onKeyDown=${handleKey}
      onBlur=${close}
    />
    <ul role="listbox" id=${listId} class="combobox-list" aria-label=${field.label} hidden=${rows === null}>
      ${rows?.map(
        (row, index) => html`<li
          key=${row.id}
          id=${`${listId}-${index}`}
          role="option"
          aria-selected=${index === active}
          onMouseDown=${(event) => (event.preventDefault(), choose(row))}
        >
          <span>${nameOf(row)}</span>${field.describe && html`<span class="muted">${field.describe(row)}</span>`}
        </li>`,
      )}
      ${rows?.length === 0 && html`<li class="muted" role="option" aria-disabled="true" aria-selected="false">Nothing matches</li>`}
    </ul>
  </div>`;
}
