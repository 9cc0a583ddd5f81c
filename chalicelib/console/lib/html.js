/** The view library: Preact's components and hooks with htm's templates, loaded as plain scripts by the page. */

const { preact, preactHooks, htm } = window;

export const { h, render, Fragment, createContext } = preact;
export const { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback, useId, useContext, useErrorBoundary } =
  preactHooks;

/** Template tag: html`<p class="x">${text}</p>`. Values are text, so nothing in them is markup. */
export const html = htm.bind(h);

/** Join the class names that apply. */
export const classes = (...names) => names.filter(Boolean).join(" ");
