// Sending: one request at a time, again after a while where it failed, and a last one when the page goes.

const GATHER_MS = 20; // events of one moment travel together
const ANSWER_MS = 15000; // then the request is given up
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60000;
const TRIES = 10; // in about five minutes: what blocks us looks like a network that fails
const LONGEST_WAIT_MS = 300000; // whatever Retry-After says
const WAIT = OWN + "wait";
const EVENTS_URL = BASE + "/v1/events" + KEY;

let underWay = []; // what the request holds that this page waits for
let timer = null;
let handed = null; // to the browser, once the page has gone
let failures = 0;
let isNetwork = false; // what failed last

// How long Carillon, or a failure, has told the site's pages to wait.
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
    .then((answer) => settle(batch, answer))
    .catch((error) => postpone(batch, 0, textOf(error))) // also where a page's own fetch answers oddly
    .then(() => {
      underWay = [];
      // Later, whatever happens on the page starts a try: another event, or that it is looked at.
      if (!isNetwork || failures < TRIES) schedule(GATHER_MS);
    });
}

function post(body) {
  const cut = window.AbortController && new AbortController();
  if (cut) later(ANSWER_MS, () => cut.abort()); // once all of it has come that does nothing
  return fetch(EVENTS_URL, {
    method: "POST",
    body, // a text's own type, text/plain, needs no preflight
    // It outlives the page; where that is refused (too much is under way), the retry goes without.
    keepalive: !failures && body.length < 20000,
    signal: cut && cut.signal,
  });
}

function settle(batch, answer) {
  const { status } = answer;
  if (/408|429|5../.test(status)) {
    return postpone(batch, answer.headers.get("Retry-After") * 1000 || 0, status);
  }
  return answer
    .json()
    .catch(() => null)
    .then((said) => {
      const { code, rejected = [] } = Object(said);
      // A hotspot's login page, or a proxy's answer, isn't Carillon's.
      if (status !== 202 && !code) return postpone(batch, 0, "not Carillon: " + status);
      // Anything else is its last word: what it refused once, it would refuse again.
      failures = 0;
      batch.forEach(({ key }) => remove(key));
      tell("log", { what: "sent", status, events: eventsOf(batch), said });
      const all = answer.ok ? null : said;
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
  tell("log", { what: "waits", why, ms: Math.round(wait), events: eventsOf(batch) });
}

// The page goes: what is not under way is handed to the browser. All of it stays in the queue, for
// the next page, because nobody will hear the answers.
function leave() {
  handed = handed || [];
  const batch = take().filter(({ key }) => !underWay.concat(handed).some((one) => one.key === key));
  handed = handed.concat(batch);
  // Where storage is blocked, this is their last chance, so they don't wait for a better moment.
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
  listen(document, "visibilitychange", () => schedule(0)); // hidden: perhaps never seen again
  listen(window, "online", () => {
    if (isNetwork) remove(WAIT); // Carillon's own Retry-After still holds
    failures = 0;
    comeBack();
  });
  comeBack();
}
