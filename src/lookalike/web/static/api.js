/** The server: requests, its refusals as `Problem`s, waiting until it is back, and signing in. */

const ROOT = "/api/v1";
const WAITS_S = [1, 2, 4, 8, 8, 15];
const MAX_BUSY_TRIES = 8;
const MAX_SENDS = 4;

/** What the server said no to, in its own words. */
class Problem extends Error {
  constructor({ title = "", detail = "", status = 0 }) {
    super(detail || title);
    this.name = "Problem";
    this.title = title;
    this.status = status;
  }
}

/** Tells `away` (detail: seconds until the next try), `back` and `signin`. */
export const connection = new EventTarget();

/** Ask for something; waits and asks again for as long as the server is away. */
export function get(path, parameters = null, { signal } = {}) {
  return request(path, parameters, { method: "GET", signal }, true);
}

/** Send JSON. A request that must not be sent twice is not repeated when the server goes away. */
export function post(path, body = null, { signal, isRepeatable = false, parameters = null } = {}) {
  const options = { method: "POST", signal };
  if (body !== null) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  return request(path, parameters, options, isRepeatable);
}

/** Send form fields with files; searching changes nothing, so it may be repeated. */
export function postForm(path, fields, parameters = null, { signal } = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return request(path, parameters, { method: "POST", body, signal }, true);
}

let thumbnailKey = "";

/** Take the key of this run of the server, with which thumbnails may be kept for ever. */
export function useThumbnailKey(key) {
  thumbnailKey = key ? `&v=${encodeURIComponent(key)}` : "";
}

/** Return the address of a picture's thumbnail; `picture` is an id or an uploaded query. */
export function thumbnailAddress(picture, size = 512) {
  const source = String(picture);
  if (source.startsWith("up:")) return `${ROOT}/uploads/${source.slice(3)}/image?size=${size}`;
  return `${ROOT}/pictures/${source.replace(/^id:/, "")}/thumbnail?size=${size}${thumbnailKey}`;
}

/** Return the address of a picture's own file. */
export function fileAddress(id) {
  return `${ROOT}/pictures/${id}/file`;
}

/**
 * Follow a job by its events until it ends.
 *
 * A connection that breaks is made again by the browser; `onProgress` gets the job each time.
 */
export function follow(id, { onProgress, onEnd }) {
  const events = new EventSource(`${ROOT}/jobs/${encodeURIComponent(id)}/events`);
  const read = (event) => JSON.parse(event.data);
  events.addEventListener("progress", (event) => onProgress(read(event)));
  events.addEventListener("end", (event) => {
    events.close();
    onEnd(read(event));
  });
  events.addEventListener("error", async () => {
    if (events.readyState !== EventSource.CLOSED) return;
    // The browser gave up: the server restarted and does not know the job, or refused. Ask once for its state.
    try {
      onEnd(await get(`/jobs/${encodeURIComponent(id)}`));
    } catch {
      onEnd(null);
    }
  });
  return () => events.close();
}

async function request(path, parameters, options, isPatient) {
  const query = parameters === null ? "" : `?${parameters}`;
  for (let tries = 0; ; tries += 1) {
    const response = await send(`${ROOT}${path}${query}`, options, isPatient);
    if (response.status === 401 && path !== "/session") {
      await signedIn();
    } else if (response.status === 503 && isPatient && tries < MAX_BUSY_TRIES) {
      await pause(secondsToWait(response) ?? WAITS_S[Math.min(tries, 3)], options.signal);
    } else {
      return answer(response);
    }
  }
}

async function send(address, options, isPatient) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fetch(address, { credentials: "same-origin", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (!isPatient) {
        untilBack();
        throw new Problem({ title: "away" });
      }
      // The server answers others, but never this: what is to be sent cannot be read, say.
      if (tries === MAX_SENDS) throw new Problem({ title: "unsent" });
      await untilBack();
      options.signal?.throwIfAborted();
    }
  }
}

async function answer(response) {
  if (response.status === 204) return null;
  const type = response.headers.get("Content-Type") ?? "";
  const body = type.includes("json") ? await response.json().catch(() => ({})) : {};
  if (response.ok) return body;
  throw new Problem({
    title: body.title ?? response.statusText,
    detail: typeof body.detail === "string" ? body.detail : "",
    status: response.status,
  });
}

function secondsToWait(response) {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0.5), 30) : null;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

// A server that went away

let comingBack = null;
let hurry = null;

/** Try at once whether the server is back. */
export function tryNow() {
  hurry?.();
}

/** Return a promise that the server answers again; everybody who waits shares one. */
function untilBack() {
  comingBack ??= knock().finally(() => {
    comingBack = null;
  });
  return comingBack;
}

async function knock() {
  for (let tries = 0; ; tries += 1) {
    const seconds = WAITS_S[Math.min(tries, WAITS_S.length - 1)];
    connection.dispatchEvent(new CustomEvent("away", { detail: seconds }));
    await Promise.race([pause(seconds), new Promise((resolve) => (hurry = resolve))]);
    try {
      const response = await fetch("/health", { cache: "no-store" });
      if (response.ok) break;
    } catch {
      // Still away: wait longer.
    }
  }
  connection.dispatchEvent(new Event("back"));
}

// Signing in

let signingIn = null;

/** Return a promise that somebody signed in; the page listens to `signin` and shows its form. */
function signedIn() {
  signingIn ??= new Promise((resolve) => {
    connection.dispatchEvent(new CustomEvent("signin", { detail: resolve }));
  }).finally(() => {
    signingIn = null;
  });
  return signingIn;
}

/** Begin a session with a token; a wrong one throws a `Problem`. */
export function signIn(token) {
  return post("/session", { token });
}
