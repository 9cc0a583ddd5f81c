/** Analytics of tracked time: a summary by two dimensions, the hours of the week, and the streak. */

import { get } from "../lib/api.js";
import { Chart } from "../lib/charts.js";
import { Field } from "../lib/form.js";
import { addDays, day, dayOf, duration, money, percent, words } from "../lib/format.js";
import { html, useMemo } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { setQuery } from "../lib/router.js";
import { may } from "../lib/session.js";
import { chartOf } from "../parts/time_chart.js";
import { EmptyState, Loaded, Page } from "../lib/ui.js";

const DAYS_SHOWN = 28;
const IN_TIME = ["day", "week", "month"];
const DIMENSIONS = [...IN_TIME, "project", "client", "task", "tag", "billable"];
const WITHOUT = { project: "No project", client: "No client", task: "No task", tag: "No tag" };
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

function labelOf(dimension, { key, name }) {
  if (key === null) return WITHOUT[dimension] ?? "None";
  if (dimension === "day") return day(key, { day: "numeric", month: "short" });
  if (dimension === "week") return `Week of ${day(key, { day: "numeric", month: "short" })}`;
  if (dimension === "month") return day(`${key}-01`, { month: "short", year: "numeric" });
  if (dimension === "billable") return key === "true" ? "Billable" : "Not billable";
  return name;
}

const named = (groups, [dimension, ...further]) =>
  groups?.map((group) => ({ ...group, label: labelOf(dimension, group), groups: further.length > 0 ? named(group.groups, further) : undefined }));

export default function Analytics({ query }) {
  const today = dayOf();
  const from = query.from || addDays(today, 1 - DAYS_SHOWN);
  const to = query.to || today;
  const first = query.by || "week";
  const second = query.and && query.and !== first ? query.and : "";
  const dimensions = [first, ...(second ? [second] : [])];
  const range = { from, to };
  const summary = useResource((signal) => get("/analytics/summary", { ...range, groupBy: dimensions.join(",") }, { signal }), [from, to, first, second]);
  const own = useResource(
    async (signal) => {
      const [heatmap, streak] = await Promise.all([get("/analytics/heatmap", range, { signal }), get("/analytics/streak", undefined, { signal })]);
      return { heatmap, streak };
    },
    [from, to],
  );
  const seesOthers = may("time-of-others:manage");
  return html`<${Page} title="Analytics" subtitle=${seesOthers ? "Everybody's tracked time." : "Your tracked time."}>
    <${Filters} ...${{ from, to, first, second, seesOthers }} />
    <${Loaded} resource=${summary}>${(data) => html`<${Summary} key=${data.groups} data=${data} dimensions=${dimensions} />`}<//>
    <${Loaded} resource=${own}>${(data) => html`<${Own} ...${data} />`}<//>
  <//>`;
}

function Filters({ from, to, first, second, seesOthers }) {
  const all = seesOthers ? [...DIMENSIONS, "user"] : DIMENSIONS;
  const options = all.map((value) => ({ value, label: value === "user" ? "Person" : words(value) }));
  const others = [{ value: "", label: "Nothing else" }, ...options.filter(({ value }) => value !== first)];
  const change = (name) => (value) => setQuery({ [name]: value || undefined });
  return html`<div class="filters" role="search" aria-label="What is shown">
    <${Field} field=${{ name: "from", label: "From", type: "date", max: to, isAlwaysSet: true }} value=${from} change=${change("from")} />
    <${Field} field=${{ name: "to", label: "To", type: "date", min: from, isAlwaysSet: true }} value=${to} change=${change("to")} />
    <${Field} field=${{ name: "by", label: "By", type: "select", options, isAlwaysSet: true }} value=${first} change=${change("by")} />
    <${Field} field=${{ name: "and", label: "And by", type: "select", options: others, isAlwaysSet: true }} value=${second} change=${change("and")} />
  </div>`;
}

function Summary({ data, dimensions }) {
  const { totals, change } = data;
  const groups = useMemo(() => named(data.groups, dimensions), [data]);
  const isInTime = IN_TIME.includes(dimensions[0]);
  const by = dimensions.map((name) => (name === "user" ? "person" : name)).join(" and ");
  const spec = useMemo(() => chartOf(groups, { isInTime, description: `Hours by ${by}, ${duration(totals.seconds)} in all` }), [groups]);
  if (totals.seconds === 0) return html`<${EmptyState} icon="clock" title="No time on these days">Choose others, or start the timer.<//>`;
  const isMore = change.seconds >= 0;
  return html`<dl class="figures card">
      <div><dt>Total</dt><dd>${duration(totals.seconds)}</dd></div>
      ${change.percent !== null && html`<div><dt>Against as many days before</dt><dd>${percent(Math.abs(change.percent))} ${isMore ? "more" : "less"}</dd></div>`}
      <div><dt>Billable</dt><dd>${duration(totals.billableSeconds)} (${percent((totals.billableSeconds / totals.seconds) * 100, 0)})</dd></div>
      ${totals.amount && html`<div><dt>Amount</dt><dd>${money(totals.amount)}</dd></div>`}
      ${totals.unpricedSeconds > 0 && html`<div><dt>Billable without a rate</dt><dd class="tone-warning">${duration(totals.unpricedSeconds)}</dd></div>`}
    </dl>
    <section class="card chart-card" aria-label="Chart"><div class="chart-frame"><${Chart} spec=${spec} /></div></section>
    <div class="section-head"><h2>By ${by}</h2></div>
    <${Groups} groups=${groups} total=${totals.seconds} />`;
}

function Groups({ groups, total }) {
  const rows = groups.flatMap((group) => [group, ...(group.groups ?? []).map((child) => ({ ...child, isChild: true }))]);
  const hasAmounts = rows.some(({ amount }) => amount);
  return html`<div class="table-box">
    <table class="table" aria-label="Hours">
      <thead>
        <tr>
          <th scope="col">Group</th>
          <th scope="col" class="is-number">Hours</th>
          <th scope="col" class="is-number">Share</th>
          <th scope="col" class="is-number">Billable</th>
          ${hasAmounts && html`<th scope="col" class="is-number">Amount</th>`}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, index) => html`<tr key=${index} class=${row.isChild ? "is-child" : undefined}>
            <td class="is-main">${row.label}</td>
            <td class="is-number" data-label="Hours">${duration(row.seconds)}</td>
            <td class="is-number" data-label="Share">${percent((row.seconds / total) * 100, 0)}</td>
            <td class="is-number" data-label="Billable">${duration(row.billableSeconds)}</td>
            ${hasAmounts && html`<td class="is-number" data-label="Amount">${money(row.amount)}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Own({ heatmap, streak }) {
  const seconds = new Map(heatmap.cells.map((cell) => [`${cell.isoWeekday} ${cell.hour}`, cell.seconds]));
  const most = Math.max(1, ...seconds.values());
  const first = { SUNDAY: 7, SATURDAY: 6 }[heatmap.weekStart] ?? 1;
  const weekdays = WEEKDAYS.map((_, index) => ((first - 1 + index) % 7) + 1);
  const days = (count) => `${count} ${count === 1 ? "day" : "days"}`;
  return html`<div class="two">
    <section class="card">
      <h2>Your hours of the week</h2>
      <table class="heatmap" aria-label="Your time by weekday and hour">
        <thead>
          <tr>
            <th><span class="visually-hidden">Weekday</span></th>
            ${HOURS.map((hour) => html`<th key=${hour} scope="col">${hour % 6 === 0 ? hour : html`<span class="visually-hidden">${hour}</span>`}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${weekdays.map(
            (weekday) => html`<tr key=${weekday}>
              <th scope="row">${WEEKDAYS[weekday - 1]}</th>
              ${HOURS.map((hour) => {
                const value = seconds.get(`${weekday} ${hour}`) ?? 0;
                const text = `${WEEKDAYS[weekday - 1]} ${hour}:00, ${duration(value)}`;
                return html`<td key=${hour} class=${value > 0 ? `heat-${Math.ceil((value / most) * 4)}` : undefined} title=${text}>
                  <span class="visually-hidden">${duration(value)}</span>
                </td>`;
              })}
            </tr>`,
          )}
        </tbody>
      </table>
    </section>
    <section class="card">
      <h2>Your streak</h2>
      <p class="streak">${days(streak.current)}</p>
      <p class="muted">
        ${streak.longest > 0
          ? `The longest was ${days(streak.longest)}, from ${day(streak.longestFrom)} to ${day(streak.longestTo)}. You tracked time on ${days(streak.days)} in all.`
          : "Days in a row on which you tracked time."}
      </p>
    </section>
  </div>`;
}
