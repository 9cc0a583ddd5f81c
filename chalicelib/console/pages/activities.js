/** Activities: the organization's feed, newest first, with the caller's own marks: read and archived. */

import { del, post } from "../lib/api.js";
import { dateOf, instant, relative, words } from "../lib/format.js";
import { classes, html } from "../lib/html.js";
import { link, setQuery } from "../lib/router.js";
import { may } from "../lib/session.js";
import { SeverityIcon, TONES } from "../lib/severity.js";
import { unread } from "../lib/shell.js";
import { CursorList, useCursorList } from "../lib/table.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Page } from "../lib/ui.js";

export default function Activities({ query }) {
  const isArchive = query.archived === "true";
  const list = useCursorList("/activities", isArchive ? { archived: true } : {});

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toastError(error);
    }
  }

  const markRead = (activity) =>
    attempt(async () => {
      await post(`/activities/${activity.id}/read`);
      change(activity, { isRead: true });
      unread.set((count) => count && { ...count, count: Math.max(0, count.count - 1) });
    });

  const markAll = () =>
    attempt(async () => {
      await post("/activities/read");
      list.setRows((rows) => rows.map((row) => ({ ...row, isRead: true })));
      unread.set({ count: 0, isExact: true });
      toast("All activities are read");
    });

  const archive = (activity) =>
    attempt(async () => {
      await post(`/activities/${activity.id}/archive`);
      remove(activity);
      if (!activity.isRead) unread.set((count) => count && { ...count, count: Math.max(0, count.count - 1) });
      toast("Archived", { action: { label: "Undo", onClick: () => restore(activity) } });
    });

  const restore = (activity) =>
    attempt(async () => {
      await del(`/activities/${activity.id}/archive`);
      if (isArchive) remove(activity);
      else await list.reload();
    });

  const change = (activity, changes) =>
    list.setRows((rows) => rows.map((row) => (row.id === activity.id ? { ...row, ...changes } : row)));
  const remove = (activity) => list.setRows((rows) => rows.filter((row) => row.id !== activity.id));

  const tabs = html`<div class="tabs" role="group" aria-label="Show">
    <button type="button" aria-pressed=${!isArchive} onClick=${() => setQuery({ archived: undefined })}>Current</button>
    <button type="button" aria-pressed=${isArchive} onClick=${() => setQuery({ archived: true })}>Archived</button>
  </div>`;
  const empty = isArchive
    ? html`<${EmptyState} icon="archive" title="Nothing is archived">Archive what you are done with; it stays here.<//>`
    : html`<${EmptyState} icon="bell" title="No activities yet">Whatever your organization does appears here.<//>`;
  const record = may("activities:record") && html`<a class="button" href=${link("/activities/new")}>Record</a>`;
  const actions = html`${tabs}${record}${!isArchive && html`<${Button} icon="check-all" onClick=${markAll}>Mark all read<//>`}`;
  return html`<${Page} title="Activities" subtitle="What happens in your organization." actions=${actions}>
    <${CursorList} list=${list} empty=${empty}>
      ${byDay(list.rows ?? []).map(
        ([day, rows]) => html`<section class="feed-day" key=${day}>
          <h2 class="feed-title">${day}</h2>
          <ul class="feed">
            ${rows.map((row) => html`<${Activity} key=${row.id} activity=${row} ...${{ isArchive, markRead, archive, restore }} />`)}
          </ul>
        </section>`,
      )}
    <//>
  <//>`;
}

function Activity({ activity, isArchive, markRead, archive, restore }) {
  const { severity, title, description, createdAt, isRead } = activity;
  return html`<li class=${classes("feed-item", !isRead && !isArchive && "is-unread")}>
    <${SeverityIcon} severity=${severity} />
    <div class="feed-text">
      <p class="feed-line">${title}</p>
      ${description && html`<p class="muted">${description}</p>`}
      <p class="feed-meta">
        <time datetime=${createdAt} title=${instant(createdAt)}>${relative(createdAt)}</time>
        <span>${words(activity.entityType)}</span>
        ${TONES[severity] && severity !== "SUCCESS" && html`<${Badge} tone=${TONES[severity]}>${words(severity)}<//>`}
      </p>
    </div>
    <div class="feed-actions">
      ${!isRead && !isArchive && html`<${Button} kind="quiet" icon="check" label="Mark as read" onClick=${() => markRead(activity)} />`}
      ${isArchive
        ? html`<${Button} kind="quiet" onClick=${() => restore(activity)}>Move back<//>`
        : html`<${Button} kind="quiet" icon="archive" label="Archive" onClick=${() => archive(activity)} />`}
    </div>
  </li>`;
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const day = dateOf(row.createdAt);
    days.set(day, [...(days.get(day) || []), row]);
  }
  return [...days];
}
