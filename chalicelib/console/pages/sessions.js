/** The caller's sessions, and ending them. A short page: it shows how the others are made. */

import { del } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { instant, relative } from "../lib/format.js";
import { html } from "../lib/html.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, Page } from "../lib/ui.js";
import { deviceOf } from "../lib/user_agent.js";

const COLUMNS = [
  { name: "userAgent", label: "Device", value: (row) => html`${deviceOf(row.userAgent)} ${row.current && html`<${Badge} tone="accent">this one<//>`}` },
  { name: "lastSeenAt", label: "Last seen", value: (row) => relative(row.lastSeenAt) },
  { name: "createdAt", label: "Signed in", value: (row) => instant(row.createdAt) },
  { name: "expiresAt", label: "Ends", value: (row) => instant(row.expiresAt) },
];

export default function Sessions() {
  const list = useCursorList("/auth/sessions");
  const others = list.rows?.filter((row) => !row.current) ?? [];

  async function revoke(session) {
    try {
      await del(`/auth/sessions/${session.id}`);
      list.setRows((rows) => rows.filter((row) => row.id !== session.id));
      toast(`The session on ${deviceOf(session.userAgent)} has ended`);
    } catch (error) {
      toastError(error);
    }
  }

  async function revokeOthers() {
    const question = { title: "End all other sessions?", text: "All other devices have to sign in again.", action: "End them" };
    if (!(await confirm(question))) return;
    try {
      await del("/auth/sessions");
      toast("All other sessions have ended");
      await list.reload();
    } catch (error) {
      toastError(error);
    }
  }

  const endOthers = others.length > 0 && html`<${Button} kind="danger" icon="log-out" onClick=${revokeOthers}>End all others<//>`;
  const end = (row) => !row.current && html`<${Button} kind="quiet" onClick=${() => revoke(row)}>End<//>`;
  return html`<${Page} title="Sessions" subtitle="Where you are signed in." actions=${endOthers}>
    <${CursorList} list=${list}>
      <${Table} columns=${COLUMNS} rows=${list.rows} actions=${end} label="Sessions" />
    <//>
  <//>`;
}
