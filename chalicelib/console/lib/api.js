/**
 * The client of the API: the envelope, the token, ETags and idempotency keys.
 *
 * `get("/clients", { page: 2 })` and `post("/clients", body)` return the data, or throw an ApiError. A write carries an
 * `Idempotency-Key`, kept while it is retried, so a lost answer never does the work twice.
 */

import { endSession, token } from "./token.js";

const BASE = new URL("../../../api/v1", import.meta.url).pathname;
const ATTEMPTS = 4;
const LONGEST_WAIT_SECONDS = 20;
const TIMEOUT_MILLISECONDS = 30_000;

export class ApiError extends Error {
  constructor(status, error = {}, headers = new Headers()) {
    super(error.message || "the server did not answer");
    this.name = "ApiError";
    this.status = status;
    this.code = error.code || "NETWORK_ERROR";
    this.details = error.details || {};
    this.requestId = error.requestId;
    this.retryAfterSeconds = Number(headers.get("Retry-After")) || 0;
  }

  /** Field path to its messages; empty unless the input is at fault. */
  get fieldErrors() {
    return this.details.fieldErrors || {};
  }
}

const SENTENCES = {
  NETWORK_ERROR: "The server did not answer. Check your connection and try again.",
  DATABASE_ERROR: "The data store did not answer. Nothing was changed; try again in a moment.",
  FORBIDDEN: "Your role does not allow this.",
  NOT_FOUND: "This is not here any more; somebody may have deleted it.",
  CONFLICT: "Others are changing the same thing right now. Try again.",
  PRECONDITION_FAILED: "Somebody else changed this in the meantime.",
};

/** Return a sentence for people about any error. */
export function messageOf(error) {
  if (!(error instanceof ApiError)) return "Something went wrong in this page. Reload it and try again.";
  if (error.code === "INTERNAL_ERROR") return `Something went wrong on our side. If it stays, name ${error.requestId}.`;
  if (error.code === "RATE_LIMITED") return `Too many attempts. Try again in ${waitText(error.retryAfterSeconds)}.`;
  const own = error.message && error.code !== "NETWORK_ERROR" ? sentence(error.message) : "";
  return error.code === "FORBIDDEN" || error.code === "NOT_FOUND" ? SENTENCES[error.code] : own || SENTENCES[error.code];
}

function sentence(text) {
  const line = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

function waitText(seconds) {
  if (seconds < 90) return `${Math.max(1, seconds)} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

export const get = (path, query, options) => request("GET", path, { query, ...options });
export const post = (path, body, options) => request("POST", path, { body, ...options });
export const put = (path, body, options) => request("PUT", path, { body, ...options });
export const patch = (path, body, options) => request("PATCH", path, { body, ...options });
export const del = (path, options) => request("DELETE", path, options);

/** Return all rows of a list, of its pages or by its cursor. */
export async function getAll(path, query, options) {
  const rows = [];
  for (let page = 1, cursor; ; page += 1) {
    const isByCursor = cursor !== undefined;
    const part = await get(path, { ...query, ...(isByCursor ? { cursor } : page > 1 ? { page } : {}) }, options);
    rows.push(...(part.items ?? part.data));
    if (!part.nextCursor && !part.pagination?.hasNextPage) return rows;
    cursor = part.nextCursor;
  }
}

/** Return `{data, etag}` of a read, for a write that is to hold against what was read: `patch(…, {ifMatch: etag})`. */
export const read = (path, query) => request("GET", path, { query, withEtag: true });

/** Return the text of an answer without an envelope, with its file name: an export. */
export const download = (path, query) => request("GET", path, { query, isRaw: true });

/**
 * Send a request. `options`: `query`, `body`, `contentType` of a body that is text, `ifMatch`, `key` (the idempotency
 * key, by default a new one), `isPublic` (a 401 is the answer, not the end of the session), `signal`.
 */
export async function request(method, path, options = {}) {
  const url = BASE + path + queryText(options.query);
  const headers = headersOf(method, options);
  const isText = typeof options.body === "string";
  const body = options.body === undefined ? undefined : isText ? options.body : JSON.stringify(options.body);
  for (let attempt = 1; ; attempt += 1) {
    const error = await send(url, { method, headers, body, signal: options.signal }, options);
    if (!(error instanceof ApiError)) return error.value;
    const wait = waitBefore(error, attempt);
    if (wait === null) {
      // A wrong password, where one is asked for again, ends nothing.
      if (error.status === 401 && error.code !== "INVALID_CREDENTIALS" && !options.isPublic) endSession("expired");
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

function headersOf(method, options) {
  const headers = { Accept: options.isRaw ? "text/csv, */*" : "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = options.contentType || "application/json";
  if (method !== "GET") headers["Idempotency-Key"] = options.key || crypto.randomUUID();
  if (options.ifMatch) headers["If-Match"] = options.ifMatch;
  if (token()) headers.Authorization = `Bearer ${token()}`;
  return headers;
}

async function send(url, init, options) {
  const timeout = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response;
  let text;
  try {
    response = await fetch(url, { ...init, signal, cache: "no-store", credentials: "omit" });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    return new ApiError(0);
  }
  if (response.ok && options.isRaw) return { value: { text, name: fileName(response.headers) } };
  let envelope;
  try {
    envelope = JSON.parse(text);
  } catch {
    return new ApiError(response.status, { code: "NETWORK_ERROR" }, response.headers);
  }
  if (!envelope.success) return new ApiError(response.status, envelope.error, response.headers);
  return { value: options.withEtag ? { data: envelope.data, etag: response.headers.get("ETag") } : envelope.data };
}

/** Return the seconds until the next attempt, or null where another one would not help. */
function waitBefore(error, attempt) {
  if (attempt >= ATTEMPTS) return null;
  if (error.status === 0 || error.status === 502 || error.status === 503 || error.status === 504) return 0.3 * 3 ** attempt;
  const isShortWait = error.status === 429 && error.retryAfterSeconds > 0;
  return isShortWait && error.retryAfterSeconds <= LONGEST_WAIT_SECONDS ? error.retryAfterSeconds : null;
}

export function queryText(query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const item of Array.isArray(value) ? value : [value]) parameters.append(name, String(item));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

function fileName(headers) {
  return /filename="([^"]+)"/.exec(headers.get("Content-Disposition") || "")?.[1] || "export.csv";
}
