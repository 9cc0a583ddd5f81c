/** The members of a project, who are suggested first and may have rates. */

import { del, put } from "../lib/api.js";
import { ask, confirm } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { dateOf } from "../lib/format.js";
import { html } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { may, useMe } from "../lib/session.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, EmptyState, Menu } from "../lib/ui.js";
import { askRates } from "./rates.js";

const PERSON = { name: "userId", label: "Person", type: "reference", path: "/users", query: { isActive: true }, isRequired: true };
const COLUMNS = [
  { name: "name", label: "Member", value: ({ user }) => nameOf(user) },
  { name: "addedAt", label: "Since", value: ({ addedAt }) => dateOf(addedAt) },
];

/** `changed()` is called when there is one more or less. */
export function Members({ project, changed }) {
  const me = useMe();
  const path = `/projects/${project.id}/members`;
  const list = useCursorList(path, {}, { limit: 100 });
  const rows = list.rows?.map((row) => ({ ...row, id: row.user.id }));
  const refresh = () => Promise.all([list.reload(), changed()]);

  async function add(userId, key) {
    const { user } = await put(`${path}/${userId}`, undefined, { key });
    toast(`${nameOf(user)} is a member now`);
    await refresh();
  }

  /** Who may not read users adds themselves. */
  function choose() {
    if (!may("users:manage")) return add(me.user.id).catch(toastError);
    return ask("Add a member", (close) => {
      const submit = async ({ userId }, key) => {
        await add(userId, key);
        close();
      };
      return html`<${Form} fields=${[PERSON]} submit=${submit} action="Add" cancel=${() => close()} />`;
    });
  }

  async function remove({ user }) {
    const text = `${nameOf(user)} may still track time on this project, at the rates that were set.`;
    if (!(await confirm({ title: "Remove this member?", text, action: "Remove" }))) return;
    try {
      await del(`${path}/${user.id}`);
      toast(`${nameOf(user)} is no member any more`);
      await refresh();
    } catch (error) {
      toastError(error);
    }
  }

  const rates = (row) => askRates(`${nameOf(row.user)} in ${project.name}`, `${path}/${row.id}/rates`, "They price the member's time on this project, before any other rate.");
  const actions = (row) => {
    const items = [
      may("rates:manage") && { label: "Rates", icon: "coins", onClick: () => rates(row) },
      { label: "Remove", icon: "trash", isDanger: true, onClick: () => remove(row) },
    ];
    return html`<${Menu} label=${`Actions for ${nameOf(row.user)}`} items=${items} />`;
  };
  const isOffered = may("users:manage") || !rows?.some(({ id }) => id === me.user.id);
  const button = isOffered && html`<${Button} icon="plus" onClick=${choose}>${may("users:manage") ? "Add a member" : "Join"}<//>`;
  const empty = html`<${EmptyState} icon="users" title="No members yet">They are suggested first for its tasks, and may have rates of their own.<//>`;
  return html`<div class="section-head"><h2>Members</h2>${button}</div>
    <${CursorList} list=${list} empty=${empty}>
      <${Table} label="Members" rows=${rows} columns=${COLUMNS} actions=${actions} isBusy=${list.isLoading} />
    <//>`;
}
