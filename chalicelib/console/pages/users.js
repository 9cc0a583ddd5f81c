/** The people of the organization: inviting them, their roles, and their leaving. */

import { del, patch, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { ask, confirm } from "../lib/dialog.js";
import { SelectFilter } from "../parts/filters.js";
import { Form } from "../lib/form.js";
import { dateOf, words } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { nameOf } from "../lib/reference.js";
import { may, me } from "../lib/session.js";
import { PageTable } from "../lib/table.js";
import { askRates } from "../parts/rates.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Menu, Page } from "../lib/ui.js";

const TONES = { ACTIVE: "good", INVITED: "accent" };
const ROLES = ["OWNER", "ADMIN", "COORDINATOR", "MEMBER", "VIEWER"].map((value) => ({ value, label: words(value) }));
const STATES = [
  { value: "true", label: "Not deactivated" },
  { value: "false", label: "Deactivated" },
];
const NAMES = [
  { name: "firstName", label: "First name", isRequired: true, isHalf: true, maxLength: 100 },
  { name: "lastName", label: "Last name", isRequired: true, isHalf: true, maxLength: 100 },
];

const isMe = (user) => user.id === me.get()?.user.id;
const Name = ({ user }) => html`${nameOf(user)} ${isMe(user) && html`<${Badge} tone="accent">you<//>`}`;

const COLUMNS = [
  { name: "name", label: "Name", isSortable: true, value: (user) => html`<${Name} user=${user} />` },
  { name: "email", label: "E-mail", isSortable: true },
  { name: "role", label: "Role", value: ({ role }) => words(role) },
  { name: "status", label: "Status", value: ({ status }) => html`<${Badge} tone=${TONES[status]}>${words(status)}<//>` },
  { name: "createdAt", label: "Since", isSortable: true, isShort: true, value: ({ createdAt }) => dateOf(createdAt) },
];

/** Who is an owner is decided by owners alone. */
const roleField = () => ({
  name: "role",
  label: "Role",
  type: "select",
  isAlwaysSet: true,
  initial: "COORDINATOR",
  options: ROLES.filter(({ value }) => value !== "OWNER" || may("organization:govern")),
});

export default function Users({ query }) {
  const [version, setVersion] = useState(0);
  const { role, isActive } = query;
  const done = (text) => {
    toast(text);
    setVersion((before) => before + 1);
  };
  const attempt = (work, text) => work().then(() => done(text), toastError);

  const invite = () =>
    ask("Invite somebody", (close) => {
      const submit = async (values, key) => {
        const user = await post("/users", values, { key });
        close();
        done(`The invitation to ${user.email} is on its way`);
      };
      const fields = [{ name: "email", label: "E-mail", type: "email", isRequired: true, isFirst: true }, ...NAMES, roleField()];
      return html`<${Form} fields=${fields} submit=${submit} cancel=${() => close()} action="Invite" />`;
    });

  const changeRole = (user) =>
    ask(`Role of ${nameOf(user)}`, (close) => {
      const submit = async (values, key) => {
        await patch(`/users/${user.id}`, values, { key });
        close();
        done(`${nameOf(user)} is ${words(values.role).toLowerCase()} now`);
      };
      return html`<${Form} fields=${[roleField()]} initial=${user} submit=${submit} cancel=${() => close()} />`;
    });

  async function rename(user) {
    const source = `/users/${user.id}`;
    let current;
    try {
      current = await read(source);
    } catch (error) {
      return toastError(error);
    }
    return ask(`Name of ${nameOf(user)}`, (close) => {
      const submit = async (values, key) => {
        const stored = await patchOver(`${source}/profile`, values, current.etag, { key, fields: NAMES, source });
        if (!stored) return;
        close();
        done(`${nameOf(stored)} is saved`);
      };
      return html`<${Form} fields=${NAMES} initial=${current.data} submit=${submit} cancel=${() => close()} />`;
    });
  }

  async function askThen(question, work, text) {
    if (await confirm(question)) await attempt(work, text);
  }

  function actions(user) {
    const name = nameOf(user);
    const path = `/users/${user.id}`;
    const isInvited = user.status === "INVITED";
    const isOpen = !isMe(user) && (user.role !== "OWNER" || may("organization:govern"));
    const deactivate = () =>
      askThen(
        { title: `Deactivate ${name}?`, text: "They are shut out at once, in every session, until somebody lets them back in.", action: "Deactivate" },
        () => post(`${path}/deactivate`),
        `${name} is deactivated`,
      );
    const withdraw = () =>
      askThen(
        { title: `Withdraw the invitation of ${name}?`, text: "Its code ends, and the address is free again.", action: "Withdraw" },
        () => del(`${path}/invitation`),
        "The invitation is withdrawn",
      );
    const remove = () =>
      askThen(
        { title: `Delete ${name} for good?`, text: "Their personal data goes and their sessions end. The history shows a former user." },
        () => del(path),
        `${name} is deleted`,
      );
    const resend = () => attempt(() => post(`${path}/invitation`), `Another mail to ${user.email} is on its way`);
    const items = [
      { label: "Change the name", icon: "edit", onClick: () => rename(user) },
      may("rates:manage") && { label: "Rates", icon: "coins", onClick: () => askRates(name, `${path}/rates`, "They price the member's billable time, unless the project has a rate.") },
      isOpen && { label: "Change the role", icon: "shield", onClick: () => changeRole(user) },
      isInvited && user.isActive && { label: "Mail the invitation again", icon: "mail", onClick: resend },
      isOpen && isInvited && { label: "Withdraw the invitation", icon: "x", isDanger: true, onClick: withdraw },
      isOpen && user.isActive && !isInvited && { label: "Deactivate", icon: "stop", isDanger: true, onClick: deactivate },
      isOpen && !user.isActive && { label: "Let back in", icon: "play", onClick: () => attempt(() => post(`${path}/reactivate`), `${name} is back`) },
      isOpen && !isInvited && { label: "Delete", icon: "trash", isDanger: true, onClick: remove },
    ];
    return html`<${Menu} label=${`Actions for ${name}`} items=${items} />`;
  }

  const filters = html`<${SelectFilter} name="role" label="Role" options=${ROLES} all="Any role" />
    <${SelectFilter} name="isActive" label="Status" options=${STATES} all="Any status" />`;
  const button = html`<${Button} kind="primary" icon="plus" onClick=${invite}>Invite somebody<//>`;
  return html`<${Page} title="Users" subtitle="Who may sign in, and what they may do." actions=${button}>
    <${PageTable}
      path="/users"
      label="Users"
      columns=${COLUMNS}
      query=${{ role, isActive }}
      filters=${filters}
      actions=${actions}
      defaultSort=${{ by: "name", order: "asc" }}
      version=${version}
    />
  <//>`;
}
