/** The page of a kind of entity: its list, and dialogs to create, change and delete one. */

import { del, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { html, useState } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { useRoute } from "../lib/router.js";
import { may } from "../lib/session.js";
import { PageTable } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, EmptyState, Menu, Page } from "../lib/ui.js";

/**
 * `path` of the list, `noun` for one ("work location"), `fields` of the form (`isFixed` ones only when it is created),
 * `permission` to write, `more(row)` further entries of a row's menu, `extra` actions of the page, `initial` values
 * of a new one. `filters` are shown beside the search, `query` is what they ask for. `empty` says why there is nothing.
 */
export function EntityPage({ title, subtitle, path, noun, icon, columns, fields, permission, query, filters, href, more, extra, initial, empty }) {
  const [version, setVersion] = useState(0);
  const { query: address } = useRoute();
  const mayWrite = may(permission);
  const changed = (text) => {
    toast(text);
    setVersion((before) => before + 1);
  };
  const create = () => createEntity({ path, noun, fields, initial, done: (row) => changed(`${nameOf(row)} is created`) });
  const edit = (row) => editEntity({ path, noun, fields, row, done: (stored) => changed(`${nameOf(stored)} is saved`) });
  const remove = (row) => deleteEntity({ path, noun, row, done: () => changed(`${nameOf(row)} is deleted`) });

  const actions = (row) => {
    const items = row.deletedAt
      ? []
      : [
          ...(more?.(row) ?? []),
          mayWrite && { label: "Edit", icon: "edit", onClick: () => edit(row) },
          mayWrite && { label: "Delete", icon: "trash", isDanger: true, onClick: () => remove(row) },
        ].filter(Boolean);
    return items.length > 0 && html`<${Menu} label=${`Actions for ${nameOf(row)}`} items=${items} />`;
  };
  const button = mayWrite && html`<${Button} kind="primary" icon="plus" onClick=${create}>New ${noun}<//>`;
  const isFiltered = Object.values(query ?? {}).some(Boolean) || address.search;
  return html`<${Page} title=${title} subtitle=${subtitle} actions=${html`${extra?.()}${button}`}>
    <${PageTable}
      path=${path}
      label=${title}
      columns=${columns}
      query=${query}
      filters=${filters}
      href=${href}
      actions=${(mayWrite || more) && actions}
      defaultSort=${{ by: "name", order: "asc" }}
      version=${version}
      empty=${!isFiltered && html`<${EmptyState} icon=${icon} title=${`No ${title.toLowerCase()} yet`} action=${button}>${empty}<//>`}
    />
  <//>`;
}

function createEntity({ path, noun, fields, initial, done }) {
  return ask(`New ${noun}`, (close) => {
    const submit = async (values, key) => {
      const row = await post(path, values, { key });
      close(row);
      done(row);
    };
    return html`<${Form} fields=${fields} initial=${initial} submit=${submit} cancel=${() => close()} action="Create" />`;
  });
}

/** Change an entity as it is now, not as the list showed it. */
async function editEntity({ path, noun, fields, row, done }) {
  const address = `${path}/${row.id}`;
  let current;
  try {
    current = await read(address);
  } catch (error) {
    return toastError(error);
  }
  const changeable = fields.filter((field) => !field.isFixed);
  return ask(`Edit ${noun}`, (close) => {
    const submit = async (values, key) => {
      const stored = await patchOver(address, values, current.etag, { key, fields: changeable });
      if (!stored) return;
      close(stored);
      done(stored);
    };
    return html`<${Form} fields=${changeable} initial=${current.data} isPatch submit=${submit} cancel=${() => close()} />`;
  });
}

async function deleteEntity({ path, noun, row, done }) {
  const question = { title: `Delete this ${noun}?`, text: `${nameOf(row)} leaves all lists; what refers to it stays in the history.` };
  if (!(await confirm(question))) return;
  try {
    await del(`${path}/${row.id}`);
    done();
  } catch (error) {
    toastError(error);
  }
}
