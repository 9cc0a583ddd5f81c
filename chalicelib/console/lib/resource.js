/** Data of the API in a component: loading, loaded or failed, and loaded again. */

import { useCallback, useEffect, useRef, useState } from "./html.js";

/**
 * Load with `load(signal)` whenever a value of `inputs` changes. Returns `{data, error, isLoading, reload, setData}`;
 * while it loads again, the data before stays, so a page does not jump.
 */
export function useResource(load, inputs = []) {
  const [state, setState] = useState({ data: undefined, error: null, isLoading: true });
  const latest = useRef(null);
  const reload = useCallback(async () => {
    latest.current?.abort();
    const controller = new AbortController();
    latest.current = controller;
    setState((before) => ({ ...before, isLoading: true }));
    try {
      const data = await load(controller.signal);
      if (!controller.signal.aborted) setState({ data, error: null, isLoading: false });
    } catch (error) {
      if (!controller.signal.aborted) setState((before) => ({ ...before, error, isLoading: false }));
    }
  }, inputs);
  useEffect(() => {
    void reload();
    return () => latest.current?.abort();
  }, [reload]);
  const setData = useCallback(
    (change) => setState((before) => ({ ...before, data: typeof change === "function" ? change(before.data) : change })),
    [],
  );
  return { ...state, reload, setData };
}

/** Call `act` now and then while the page is shown; not while it is hidden. */
export function useInterval(act, seconds) {
  const current = useRef(act);
  current.current = act;
  useEffect(() => {
    if (!seconds) return undefined;
    const timer = setInterval(() => document.hidden || current.current(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}
