/**
 * Tables of lists: `PageTable` with search, sorting and pages, `CursorTable` with "show more".
 *
 * Columns are `{name, label, value(row), isSortable, isNumber, isShort}`; short ones stay in one line. Search, sort and page are in the address, so
 * that Back returns to them.
 */

import { get } from "./api.js";
import { classes, html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { number } from "./format.js";
import { useResource } from "./resource.js";
import { setQuery, useRoute } from "./router.js";
import { Button, EmptyState, ErrorState, Skeleton } from "./ui.js";
import { toastError } from "./toast.js";

const SEARCH_DELAY_MILLISECONDS = 250;
const PAGE_SIZE = 20;

/**
 * The rows alone. `href(row)` makes each row a link to its address; `actions(row)` is at its end. `selection` puts a
 * box before each row that may be chosen: `{isOffered(row), has(row), set(rows, isChosen), name(row)}`.
 */
export function Table({ columns, rows, href, actions, label, sort, selection, isBusy = false }) {
  return html`<div class=${classes("table-box", isBusy && "is-busy")}>
    <table class="table" aria-label=${label}>
      <thead>
        <tr>
          ${selection && html`<th class="row-select"><${SelectAll} ...${{ rows, label, selection }} /></th>`}
          ${columns.map((column) => html`<${Heading} key=${column.name} column=${column} sort=${sort} />`)}
          ${actions && html`<th class="row-actions"><span class="visually-hidden">Actions</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, index) => html`<tr key=${row.id ?? index} class=${row.deletedAt ? "is-deleted" : undefined}>
            ${selection && html`<td class="row-select">${selection.isOffered(row) && html`<${SelectRow} ...${{ row, selection }} />`}</td>`}
            ${columns.map((column, at) => {
              const value = column.value ? column.value(row) : row[column.name] ?? "–";
              const content = href && at === 0 ? html`<a href=${href(row)}>${value}</a>` : value;
              return html`<td key=${column.name} class=${classes(column.isNumber && "is-number", column.isShort && "is-short", at === 0 && "is-main")} data-label=${column.label}>
                <div>${content}</div>
              </td>`;
            })}
            ${actions && html`<td class="row-actions">${actions(row)}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const SelectRow = ({ row, selection }) => html`<input
  type="checkbox"
  aria-label=${`Select ${selection.name(row)}`}
  checked=${selection.has(row)}
  onChange=${(event) => selection.set([row], event.currentTarget.checked)}
/>`;

function SelectAll({ rows, label, selection }) {
  const offered = rows.filter(selection.isOffered);
  if (offered.length === 0) return null;
  return html`<input
    type="checkbox"
    aria-label=${`Select all of ${label}`}
    checked=${offered.every(selection.has)}
    onChange=${(event) => selection.set(offered, event.currentTarget.checked)}
  />`;
}

function Heading({ column, sort }) {
  const isSorted = sort?.by === column.name;
  const direction = isSorted ? (sort.order === "desc" ? "descending" : "ascending") : undefined;
  const style = classes(column.isNumber && "is-number", `column-${column.name}`);
  if (!sort || !column.isSortable) return html`<th scope="col" class=${style}>${column.label}</th>`;
  const next = { sortBy: column.name, sortOrder: isSorted && sort.order !== "desc" ? "desc" : "asc", page: undefined };
  return html`<th scope="col" class=${style} aria-sort=${direction}>
    <button type="button" class="sort" onClick=${() => setQuery(next)}>
      ${column.label}
      <${Icon} name=${isSorted ? (sort.order === "desc" ? "sort-desc" : "sort-asc") : "sort"} size=${14} />
    </button>
  </th>`;
}

/**
 * A page list of the API. `path`, `query` (fixed filters), `defaultSort` `{by, order}`, `filters` (inputs beside the
 * search), `empty` (shown when there is nothing at all), `version` (change it to load again).
 */
export function PageTable({ path, query = {}, columns, href, actions, label, defaultSort, filters, empty, version = 0 }) {
  const { query: address } = useRoute();
  const asked = {
    ...query,
    search: address.search,
    page: address.page || 1,
    pageSize: PAGE_SIZE,
    sortBy: address.sortBy || defaultSort?.by,
    sortOrder: address.sortOrder || defaultSort?.order,
  };
  const list = useResource((signal) => get(path, asked, { signal }), [path, JSON.stringify(asked), version]);
  const sort = { by: asked.sortBy, order: asked.sortOrder };
  const rows = list.data?.data;
  const isFiltered = Boolean(asked.search);
  return html`<section class="list">
    <div class="toolbar">
      <${Search} value=${address.search || ""} label=${`Search ${label.toLowerCase()}`} />
      ${filters}
    </div>
    ${list.error && html`<${ErrorState} error=${list.error} retry=${list.reload} />`}
    ${!list.error && rows === undefined && html`<${Skeleton} lines=${8} />`}
    ${!list.error && rows?.length === 0 && (isFiltered || !empty ? html`<${NoMatch} search=${asked.search} />` : empty)}
    ${!list.error &&
    rows?.length > 0 &&
    html`<${Table} ...${{ columns, rows, href, actions, label, sort }} isBusy=${list.isLoading} />
      <${Pager} pagination=${list.data.pagination} />`}
  </section>`;
}

/** A search input that writes to the address, a moment after the last key. */
export function Search({ value, label }) {
  const [text, setText] = useState(value);
  const timer = useRef(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (event) => {
    const typed = event.currentTarget.value;
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ search: typed.trim() || undefined, page: undefined }), SEARCH_DELAY_MILLISECONDS);
  };
  return html`<label class="search">
    <span class="visually-hidden">${label}</span>
    <${Icon} name="search" />
    <input type="search" placeholder=${label} maxlength="100" value=${text} onInput=${type} />
  </label>`;
}

function NoMatch({ search }) {
  const clear = html`<${Button} onClick=${() => setQuery({ search: undefined, page: undefined })}>Clear the search<//>`;
  return html`<${EmptyState} icon="search" title=${search ? `Nothing matches “${search}”` : "Nothing here"} action=${search && clear}>
    ${search && "Capitals and accents make no difference; try a part of the name."}
  <//>`;
}

function Pager({ pagination }) {
  const { page, pageSize, totalItems, totalPages, hasNextPage, hasPreviousPage } = pagination;
  const first = (page - 1) * pageSize + 1;
  return html`<nav class="pager" aria-label="Pages">
    <span class="muted">${number(first)}–${number(Math.min(page * pageSize, totalItems))} of ${number(totalItems)}</span>
    ${totalPages > 1 &&
    html`<span class="pager-buttons">
      <${Button} icon="chevron-left" label="Previous page" disabled=${!hasPreviousPage} onClick=${() => setQuery({ page: page - 1 })} />
      <span>Page ${page} of ${totalPages}</span>
      <${Button} icon="chevron-right" label="Next page" disabled=${!hasNextPage} onClick=${() => setQuery({ page: page + 1 })} />
    </span>`}
  </nav>`;
}

/** Rows of a cursor list: `{rows, error, isLoading, hasMore, more, reload, setRows}`. */
export function useCursorList(path, query = {}, { limit = 30 } = {}) {
  const asked = JSON.stringify(query);
  const [isMore, setMore] = useState(false);
  const list = useResource((signal) => get(path, { ...query, limit }, { signal }), [path, asked, limit]);
  async function more() {
    setMore(true);
    try {
      const next = await get(path, { ...query, limit, cursor: list.data.nextCursor });
      list.setData((before) => ({ items: [...before.items, ...next.items], nextCursor: next.nextCursor }));
    } catch (error) {
      toastError(error);
    } finally {
      setMore(false);
    }
  }
  const setRows = (change) => list.setData((before) => ({ ...before, items: change(before.items) }));
  return { ...list, rows: list.data?.items, hasMore: Boolean(list.data?.nextCursor), isMore, more, setRows };
}

export function CursorTable({ path, query, columns, href, actions, label, empty }) {
  const list = useCursorList(path, query);
  return html`<${CursorList} list=${list} empty=${empty}>
    ${list.rows && html`<${Table} ...${{ columns, href, actions, label }} rows=${list.rows} isBusy=${list.isLoading} />`}
  <//>`;
}

/** The states around the rows of `useCursorList`, and the button for more of them. */
export function CursorList({ list, empty, children }) {
  if (list.error && !list.rows) return html`<${ErrorState} error=${list.error} retry=${list.reload} />`;
  if (!list.rows) return html`<${Skeleton} lines=${8} />`;
  if (list.rows.length === 0) return empty || html`<${EmptyState} title="Nothing here" />`;
  return html`<section class="list">
    ${children}
    ${list.hasMore && html`<div class="more"><${Button} busy=${list.isMore} onClick=${list.more}>Show more<//></div>`}
  </section>`;
}
