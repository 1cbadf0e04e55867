// Sending: one request at a time, retries after failures, and a last request when the page closes.

const GATHER_MS = 20; // events of one moment travel together
const ANSWER_MS = 15000; // then the request is aborted
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60000;
const TRIES = 10; // in about five minutes: a blocker looks like a failing network
const LONGEST_WAIT_MS = 300000; // also with a longer Retry-After
const WAIT = OWN + "wait";
const EVENTS_URL = BASE + "/v1/events" + KEY;

let underWay = []; // this page's events in the request
let timer = null;
let handed = null; // events handed to the browser, once the page has closed
let failures = 0;
let isNetwork = false; // the kind of the last failure

// How long the site's pages are to wait, after a Retry-After of Carillon or a failure.
function waitLeft() {
  const left = (read(WAIT) || 0) - Date.now();
  return left > LONGEST_WAIT_MS ? 0 : left; // the clock was set back meanwhile
}

// Not before the last event's time, which events of one moment push ahead.
function schedule(ms) {
  clearTimeout(timer);
  timer = later(Math.max(ms, waitLeft(), Math.min(lastTime - Date.now(), RETRY_MS)), flush);
}

function eventsOf(batch) {
  return batch.map(({ event }) => event);
}

function bodyOf(batch) {
  const sentAt = new Date().toISOString();
  const text = JSON.stringify({ events: eventsOf(batch), sentAt });
  // Half of an emoji, as a cut leaves it, is no Unicode: a strict reader would refuse the batch.
  return text.replace(/\\(ud[89a-f]..|.)/g, (all, sign) => (sign[1] ? "\ufffd" : all));
}

function flush() {
  if (handed || underWay.length) return;
  if (waitLeft() > 0) return schedule(0);
  const batch = take();
  if (!batch.length) return remove(ALIVE + PAGE);
  write(ALIVE + PAGE, Date.now()); // at least every five minutes, while something waits
  underWay = batch;
  return Promise.resolve(bodyOf(batch))
    .then(post)
    .then((answer) => handleResponse(batch, answer))
    .catch((error) => postpone(batch, 0, textOf(error))) // also where a page's own fetch answers oddly
    .then(() => {
      underWay = [];
      // Later, activity on the page starts a retry: another event, or the page becomes visible.
      if (!isNetwork || failures < TRIES) schedule(GATHER_MS);
    });
}

function post(body) {
  const cut = window.AbortController && new AbortController();
  if (cut) later(ANSWER_MS, () => cut.abort()); // after the response that does nothing
  return fetch(EVENTS_URL, {
    method: "POST",
    body, // a text's own type, text/plain, needs no preflight
    // It outlives the page; if that is refused (too much is under way), the retry does without.
    keepalive: !failures && body.length < 20000,
    signal: cut && cut.signal,
  });
}

function handleResponse(batch, answer) {
  const { status } = answer;
  if (/408|429|5../.test(status)) {
    return postpone(batch, answer.headers.get("Retry-After") * 1000 || 0, status);
  }
  return answer
    .json()
    .catch(() => null)
    .then((result) => {
      const { code, rejected = [] } = Object(result);
      // A hotspot's login page, or a proxy's answer, isn't Carillon's.
      if (status !== 202 && !code) return postpone(batch, 0, "not Carillon: " + status);
      // Any other response is final: Carillon would reject the same events again.
      failures = 0;
      batch.forEach(({ key }) => remove(key));
      notify("log", { what: "sent", status, events: eventsOf(batch), answer: result });
      const all = answer.ok ? null : result;
      batch.forEach((entry, index) => {
        conclude(entry, all || rejected.find((one) => one.index === index));
      });
    });
}

function postpone(batch, floor, why) {
  if (!mayAct()) return;
  isNetwork = typeof why === "string";
  const backoff = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failures++);
  const wait = Math.max(Math.min(floor, LONGEST_WAIT_MS), backoff * (0.5 + Math.random() / 2));
  write(WAIT, Date.now() + wait); // for the site's other pages too
  notify("log", { what: "waits", why, ms: Math.round(wait), events: eventsOf(batch) });
}

// The page closes: events that are not under way are handed to the browser. All stay in the queue, for
// the next page, because the page gets no responses.
function leave() {
  handed = handed || [];
  const batch = take().filter(({ key }) => !underWay.concat(handed).some((one) => one.key === key));
  handed = handed.concat(batch);
  // If storage is blocked, this is their last chance, so they don't wait.
  const isTime = waitLeft() <= 0 || batch.some(({ key }) => key in memory);
  if (isTime && batch.length && navigator.sendBeacon) {
    navigator.sendBeacon(EVENTS_URL, bodyOf(batch));
  }
  remove(ALIVE + PAGE);
}

function comeBack() {
  handed = null;
  adopt();
  schedule(GATHER_MS);
}

function startQueue() {
  listen(window, "pagehide", leave);
  listen(window, "pageshow", comeBack); // also from the back-forward cache
  listen(document, "visibilitychange", () => schedule(0)); // hidden: perhaps never visible again
  listen(window, "online", () => {
    if (isNetwork) remove(WAIT); // Carillon's own Retry-After still counts
    failures = 0;
    comeBack();
  });
  comeBack();
}
