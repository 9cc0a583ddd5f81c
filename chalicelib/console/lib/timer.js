/** The caller's timer in the header: start, change, switch, pause, resume, stop and discard it. */

import { del, get, patch, post } from "./api.js";
import { ask, confirm } from "./dialog.js";
import { Form } from "./form.js";
import { clock, duration } from "./format.js";
import { html, useEffect, useState } from "./html.js";
import { useInterval } from "./resource.js";
import { store, useStore } from "./store.js";
import { LABELS, withNames, workFields, workOf } from "./time_fields.js";
import { toast, toastError } from "./toast.js";
import { Badge, Button, Menu } from "./ui.js";

const LOOK_SECONDS = 60;

/** `{timer, loadedAt}` as of the last look; null before the first. */
export const current = store(null);

/** Number of sessions that the timer made in this tab: lists of time load again when it moves. */
export const stops = store(0);

async function show(answer) {
  const timer = answer.timer && (await withNames([answer.timer]))[0];
  current.set({ timer, loadedAt: Date.now() });
}

const load = () => get("/timer").then(show, () => undefined);

/** Net seconds by now, counted on from the server's figure. */
const elapsed = ({ timer, loadedAt }) => timer.elapsedSeconds + (timer.isPaused ? 0 : Math.max(0, Math.floor((Date.now() - loadedAt) / 1000)));

function StartForm({ close, isSwitch }) {
  async function submit(values, key) {
    await show(await post("/timer/start", { ...workOf(values), ...(isSwitch ? { stopRunning: true } : {}) }, { key }));
    if (isSwitch) stops.set((count) => count + 1);
    close();
  }
  return html`<${Form} fields=${(inputs) => workFields(inputs)} submit=${submit} cancel=${() => close()} action="Start" />`;
}

export const askStart = (isSwitch = false) =>
  ask(isSwitch ? "Switch to something else" : "Start the timer", (close) => html`<${StartForm} ...${{ close, isSwitch }} />`);

/** Change what the timer is for, or when it started. */
const askChange = (timer) =>
  ask("Change the timer", (close) => {
    const initial = {
      ...timer,
      projectId: timer.projectId && { id: timer.projectId, name: timer.project },
      taskId: timer.taskId && { id: timer.taskId, name: timer.task },
    };
    const start = { name: "startAt", label: LABELS.startAt, type: "datetime", isRequired: true, hint: "Not after its first pause" };
    const fields = (inputs) => [...workFields(inputs, { isNew: false }), start];
    const submit = async (values, key) => {
      await show(await patch("/timer", workOf(values), { key }));
      close();
      toast("The timer is changed");
    };
    return html`<${Form} ...${{ fields, initial, submit }} isPatch cancel=${() => close()} />`;
  });

/** A timer of more than 24 hours needs to be told when it should have ended. */
const askEnd = (timer) =>
  ask("When did it end?", (close) => {
    const field = { name: "endAt", label: "End", type: "datetime", isRequired: true, initial: timer.startAt, hint: "At most 24 hours after its start" };
    const submit = async (values, key) => {
      await post("/timer/stop", { sessionId: timer.id, ...values }, { key });
      close(true);
    };
    return html`<${Form} fields=${[field]} submit=${submit} cancel=${() => close(false)} action="Stop" />`;
  });

async function stop(timer) {
  try {
    const session = await post("/timer/stop", { sessionId: timer.id });
    toast(`${duration(session.durationSeconds)} recorded${session.warnings.length > 0 ? ", beside other time" : ""}`);
  } catch (error) {
    if (!error.fieldErrors?.endAt) throw error;
    if (!(await askEnd(timer))) return;
  }
  stops.set((count) => count + 1);
  await load();
}

async function discard() {
  const question = { title: "Discard this timer?", text: "Its time is not recorded.", action: "Discard" };
  if (await confirm(question)) await show(await del("/timer"));
}

export function TimerTool() {
  const state = useStore(current);
  const [isBusy, setBusy] = useState(false);
  const [, tick] = useState(0);
  const timer = state?.timer;
  useEffect(() => void load(), []);
  useInterval(load, LOOK_SECONDS);
  useInterval(() => tick((count) => count + 1), timer && !timer.isPaused ? 1 : 0);

  async function attempt(work) {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      toastError(error);
      // Another tab or device may have changed it.
      await load();
    } finally {
      setBusy(false);
    }
  }

  if (!state) return null;
  if (!timer) return html`<${Button} class="timer-start" icon="play" title="Start timer" onClick=${() => askStart()}>Start timer<//>`;
  const text = timer.description || timer.task || timer.project || "Timer";
  const isLong = timer.warnings.length > 0;
  const turn = (path) => attempt(async () => show(await post(path, {})));
  return html`<div class="timer" role="group" aria-label="Timer">
    <span class="timer-text"><span>${text}</span>${timer.project && timer.project !== text && html`<span class="muted">${timer.project}</span>`}</span>
    ${timer.isPaused && html`<span class="timer-state"><${Badge}>paused<//></span>`}
    <span class=${isLong ? "timer-clock tone-warning" : "timer-clock"} title=${isLong ? timer.warnings[0].message : undefined}>${clock(elapsed(state))}</span>
    ${timer.isPaused
      ? html`<${Button} kind="quiet" icon="play" label="Resume" disabled=${isBusy} onClick=${() => turn("/timer/resume")} />`
      : html`<${Button} kind="quiet" icon="pause" label="Pause" disabled=${isBusy} onClick=${() => turn("/timer/pause")} />`}
    <${Button} kind="quiet" class="timer-stop" icon="stop" label="Stop" disabled=${isBusy} onClick=${() => attempt(() => stop(timer))} />
    <${Menu}
      label="More about the timer"
      items=${[
        { label: "Change", icon: "edit", onClick: () => askChange(timer) },
        { label: "Switch to something else", icon: "refresh", onClick: () => askStart(true) },
        { label: "Discard", icon: "trash", isDanger: true, onClick: () => attempt(discard) },
      ]}
    />
  </div>`;
}
