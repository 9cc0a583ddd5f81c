/** The timesheet of a week, submitted by its owner and judged by a time admin; and those of other weeks. */

import { get, post } from "../lib/api.js";
import { ask } from "../lib/dialog.js";
import { Form } from "../lib/form.js";
import { addDays, day, dayOf, dayRange, duration, instant, money, number, weekday, weekOf, words } from "../lib/format.js";
import { html, useEffect } from "../lib/html.js";
import { ReferenceInput } from "../lib/reference.js";
import { useResource } from "../lib/resource.js";
import { go, link, setQuery } from "../lib/router.js";
import { may, useMe } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { CursorList, Table, useCursorList } from "../lib/table.js";
import { userName } from "../lib/time_fields.js";
import { stops } from "../lib/timer.js";
import { toast, toastError } from "../lib/toast.js";
import { Badge, Button, EmptyState, Loaded, Notice, Page } from "../lib/ui.js";

const TONES = { SUBMITTED: "accent", APPROVED: "good", REJECTED: "bad" };
const FULL_DAY_SECONDS = 8 * 3600;

const State = ({ state }) => html`<${Badge} tone=${TONES[state]}>${words(state)}<//>`;

/** Load a timesheet; where weeks of its user begin on another day, the one that has this day. */
async function load(userId, weekStart, signal) {
  try {
    return await get(`/timesheets/${userId}/${weekStart}`, undefined, { signal });
  } catch (error) {
    const first = /\d{4}-\d\d-\d\d/.exec(error.fieldErrors?.weekStart?.[0] ?? "")?.[0];
    if (!first) throw error;
    return get(`/timesheets/${userId}/${first}`, undefined, { signal });
  }
}

/** The number of active owners tells whether an owner may approve their own week: only if nobody else could. */
async function isOnlyOwner(me) {
  if (me.role !== "OWNER") return false;
  const owners = await get("/users", { role: "OWNER", isActive: true, pageSize: 1 });
  return owners.pagination.totalItems === 1;
}

export default function Timesheets({ userId, weekStart, query }) {
  const me = useMe();
  const isOwn = !userId || userId === me.user.id;
  const owner = userId ?? me.user.id;
  const sheet = useResource(
    async (signal) => {
      const found = await load(owner, weekStart ?? weekOf(dayOf()), signal);
      const [name, mayApprove] = await Promise.all([
        isOwn ? me.profile.fullName : userName(owner),
        may("time-of-others:manage") && (isOwn ? isOnlyOwner(me) : true),
      ]);
      return { ...found, name, mayApprove };
    },
    [owner, weekStart],
  );
  const list = useCursorList("/timesheets", { status: query.status });
  const stopped = useStore(stops);
  useEffect(() => void (stopped > 0 && sheet.reload()), [stopped]);
  const changed = () => Promise.all([sheet.reload(), list.reload()]);
  const seesOthers = may("time-of-others:manage");
  const person = { path: "/users", label: "Person" };
  const lock = async () => {
    const locked = await ask("Lock time", (close) => html`<${LockForm} close=${close} />`);
    if (locked) await changed();
  };
  const choose =
    seesOthers &&
    html`<${Button} icon="shield" onClick=${lock}>Lock time<//><label class="person"><span class="visually-hidden">Person</span>
      <${ReferenceInput}
        field=${{ ...person, placeholder: "Week of another person" }}
        value=${null}
        change=${(row) => row && go(`/timesheets/${row.id}/${sheet.data?.weekStart ?? weekOf(dayOf())}`)}
        attributes=${{ class: "input" }}
      />
    </label>`;
  return html`<${Page} title=${weekStart ? "Timesheet" : "Timesheets"} subtitle=${isOwn ? "Your week." : sheet.data?.name} actions=${choose}>
    <${Loaded} resource=${sheet}>${(data) => html`<${Week} sheet=${data} ...${{ isOwn, changed }} />`}<//>
    <${Sheets} ...${{ list, query, seesOthers }} />
  <//>`;
}

const LOCKS = [
  { value: "lock", label: "Lock all time before this day" },
  { value: "unlock", label: "Move the lock back: time from this day on may change" },
];

/** Closes past time, for one person or for everybody, or opens it again. */
function LockForm({ close }) {
  const fields = [
    { name: "verb", label: "What to do", type: "select", isAlwaysSet: true, initial: "lock", options: LOCKS },
    { name: "before", label: "Day", type: "date", isRequired: true, initial: `${dayOf().slice(0, 7)}-01` },
    { name: "userId", label: "Person", type: "reference", path: "/users", placeholder: "Everybody, also those who join later" },
  ];
  async function submit({ verb, ...values }, key) {
    const { before, users } = await post(`/timesheets/${verb}`, values, { key });
    const whose = users === 1 ? "1 person" : `${number(users)} people`;
    toast(verb === "lock" ? `Time before ${day(before)} is locked for ${whose}` : `Time from ${day(before)} on is open for ${whose}`);
    close(true);
  }
  return html`<${Form} ...${{ fields, submit }} action="Save" cancel=${() => close(false)}>
    <p class="muted">Nobody can add, change or delete locked time, administrators neither.</p>
  <//>`;
}

function Week({ sheet, isOwn, changed }) {
  const { userId, weekStart, state, seconds, billableSeconds, amount, differsBy, days, history } = sheet;
  const path = `/timesheets/${userId}/${weekStart}`;
  const most = Math.max(FULL_DAY_SECONDS, ...days.map((row) => row.seconds));
  const to = (count) => go(`/timesheets/${userId}/${addDays(weekStart, count)}`);
  const rejection = state === "REJECTED" && history.at(-1)?.reason;
  return html`<section class="card" aria-label="Week">
    <div class="day-head">
      <div class="week-switch">
        <${Button} kind="quiet" icon="chevron-left" label="Week before" onClick=${() => to(-7)} />
        <h2>${dayRange(weekStart, addDays(weekStart, 6))}</h2>
        <${Button} kind="quiet" icon="chevron-right" label="Week after" onClick=${() => to(7)} />
      </div>
      <${State} state=${state} />
    </div>
    ${rejection && html`<${Notice} tone="bad">Rejected: ${rejection}<//>`}
    ${differsBy &&
    html`<${Notice} tone="warning">Since the approval the figures have moved by ${duration(differsBy.seconds)}${differsBy.amount && ` and ${money(differsBy.amount)}`}.<//>`}
    <div class="sheet-days">
      ${days.map(
        (row) => html`<div class="sheet-day" key=${row.day}>
          <span>${weekday(row.day)}</span>
          <span class="meter"><progress max=${most} value=${row.seconds} aria-label=${weekday(row.day)} /></span>
          <span>${duration(row.seconds)}</span>
        </div>`,
      )}
    </div>
    <dl class="figures week-total">
      <div><dt>Total</dt><dd>${duration(seconds)}</dd></div>
      <div><dt>Billable</dt><dd>${duration(billableSeconds)}</dd></div>
      ${amount && html`<div><dt>Amount</dt><dd>${money(amount)}</dd></div>`}
    </dl>
    <${Steps} ...${{ sheet, path, isOwn, changed }} />
    ${history.length > 0 &&
    html`<ul class="history">
      ${history.map((step) => html`<li>${words(step.state)} <span class="muted">${instant(step.at)}${step.reason && `: ${step.reason}`}</span></li>`)}
    </ul>`}
  </section>`;
}

/** What the caller may do with the week as it is. */
function Steps({ sheet, path, isOwn, changed }) {
  const { state, mayApprove, name } = sheet;
  const whose = isOwn ? "your week" : `${name}'s week`;

  async function step(verb, done) {
    try {
      await post(`${path}/${verb}`);
      toast(done);
    } catch (error) {
      toastError(error);
    }
    await changed();
  }

  async function withReason(verb, title, done) {
    const fields = [{ name: "reason", label: "Reason", type: "textarea", isRequired: true, maxLength: 1000, hint: "It is mailed and kept in the history" }];
    const isSent = await ask(title, (close) => {
      const submit = async (values, key) => {
        await post(`${path}/${verb}`, values, { key });
        close(true);
      };
      return html`<${Form} ...${{ fields, submit }} action=${words(verb)} cancel=${() => close(false)} />`;
    });
    if (!isSent) return;
    toast(done);
    await changed();
  }

  const buttons = [];
  if (isOwn && (state === "OPEN" || state === "REJECTED")) {
    buttons.push(html`<${Button} kind="primary" icon="check" onClick=${() => step("submit", "Submitted for approval")}>Submit<//>`);
  }
  if (isOwn && state === "SUBMITTED") buttons.push(html`<${Button} onClick=${() => step("withdraw", "Withdrawn: it can be changed again")}>Withdraw<//>`);
  if (mayApprove && state === "SUBMITTED") {
    buttons.push(html`<${Button} kind="danger" onClick=${() => withReason("reject", `Reject ${whose}?`, "Rejected")}>Reject<//>`);
    buttons.push(html`<${Button} kind="primary" icon="check" onClick=${() => step("approve", "Approved")}>Approve<//>`);
  }
  if (may("time-of-others:manage") && state === "APPROVED") {
    buttons.push(html`<${Button} onClick=${() => withReason("reopen", `Reopen ${whose}?`, "Reopened")}>Reopen<//>`);
  }
  return buttons.length > 0 && html`<div class="week-foot">${buttons}</div>`;
}

const STATES = [
  [undefined, "All"],
  ["SUBMITTED", "Waiting"],
  ["APPROVED", "Approved"],
  ["REJECTED", "Rejected"],
];

function Sheets({ list, query, seesOthers }) {
  const named = useResource(() => Promise.all((list.rows ?? []).map(async (row) => ({ ...row, name: await userName(row.userId) }))), [list.rows]);
  const columns = [
    { name: "week", label: "Week", value: ({ weekStart }) => dayRange(weekStart, addDays(weekStart, 6)) },
    seesOthers && { name: "name", label: "Person" },
    { name: "state", label: "Status", value: ({ state }) => html`<${State} state=${state} />` },
    { name: "approved", label: "Approved hours", isNumber: true, value: ({ approvedSeconds }) => duration(approvedSeconds) },
    { name: "updatedAt", label: "Since", value: ({ updatedAt }) => instant(updatedAt) },
  ].filter(Boolean);
  const empty = html`<${EmptyState} icon="calendar" title=${query.status ? "None in this state" : "None submitted yet"}>Weeks appear here once they are submitted.<//>`;
  return html`<div class="section-head">
      <h2>${seesOthers ? "Submitted by everybody" : "Submitted"}</h2>
      <div class="tabs" role="group" aria-label="Show">
        ${STATES.map(
          ([state, label]) => html`<button type="button" aria-pressed=${query.status === state} onClick=${() => setQuery({ status: state })}>${label}</button>`,
        )}
      </div>
    </div>
    <${CursorList} list=${list} empty=${empty}>
      <${Table}
        label="Timesheets"
        rows=${named.data ?? []}
        columns=${columns}
        href=${({ userId, weekStart }) => link(`/timesheets/${userId}/${weekStart}`)}
        isBusy=${list.isLoading}
      />
    <//>`;
}
