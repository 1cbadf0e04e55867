// The way to Carillon. An event waits in localStorage, under a key of its own, until Carillon has
// said that it is stored. A page sends its own events; what a closed page left is taken over by the
// site's next one. An event that was under way then goes again under the same id: it counts once.

const QUEUE = "q." + config.key + ".";
const GATHER_MS = 20; // events of one moment travel together
const BATCH_EVENTS = 50;
const BATCH_CHARACTERS = 15000; // in UTF-8 at most 45 KB: browsers let 64 KB outlive a page
const EVENT_CHARACTERS = 32000; // Carillon takes no larger one
const KEPT_EVENTS = 200; // beyond these the oldest go: a shop's storage is its own
const KEPT_CHARACTERS = 200000;
const ANSWER_MS = 15000; // then the request is given up
const ORPHAN_MS = 600000; // a page that crashed could not say that it left
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60000;
const LONGEST_WAIT_MS = 300000; // whatever Retry-After says

const PAGE = uuid().slice(0, 8);
const ALIVE = "alive.";
const callbacks = {}; // by event id, for as long as this page lives
let underWay = []; // what the request holds that this page waits for
let timer = null;
let isReady = false; // once what is older than this page's events is known
let isGone = false;
let failures = 0;
let isNetwork = false; // what failed last
let count = 0;

function enqueue(type, data, callback) {
  if (allowed !== true) return;
  const event = {
    id: uuid(),
    type,
    visitorId: visitorId(),
    occurredAt: new Date().toISOString(),
    page: page(),
    context: context(),
    data: data || {},
  };
  const size = JSON.stringify(event).length;
  if (size > EVENT_CHARACTERS) throw new Error("the event " + type + " is too large");
  makeRoom(size);
  if (typeof callback === "function") callbacks[event.id] = callback;
  // The key sorts by time, then by order within this page.
  const order = (count++).toString(36).padStart(4, "0");
  write(QUEUE + Date.now().toString(36) + "." + order + "." + PAGE, { event });
  write(ALIVE + PAGE, Date.now());
  tell("log", { what: "event", type, event });
  return isGone ? leave() : schedule(GATHER_MS);
}

function makeRoom(size) {
  const kept = keysFrom(QUEUE).map((key) => ({ key, size: JSON.stringify(read(key)).length }));
  let total = kept.reduce((sum, entry) => sum + entry.size, size);
  while (kept.length && (total > KEPT_CHARACTERS || kept.length >= KEPT_EVENTS)) {
    const oldest = kept.shift();
    total -= oldest.size;
    remove(oldest.key);
    tell("log", { what: "dropped", reason: "full" });
  }
}

// How long Carillon, or a failure, has told the site's pages to wait.
function waitLeft() {
  const left = (read("wait") || 0) - Date.now();
  return left > LONGEST_WAIT_MS ? 0 : left; // the clock was set back meanwhile
}

function schedule(ms) {
  clearTimeout(timer);
  timer = later(Math.max(ms, waitLeft()), flush);
}

// The oldest of this page's events.
function take() {
  const batch = [];
  let characters = 0;
  for (const key of keysFrom(QUEUE)) {
    const entry = read(key);
    if (!entry || !entry.event) {
      remove(key); // cut off
      continue;
    }
    if (!key.endsWith(PAGE)) continue;
    characters += JSON.stringify(entry.event).length;
    if (batch.length === BATCH_EVENTS || (batch.length && characters > BATCH_CHARACTERS)) break;
    batch.push({ key, event: entry.event, left: entry.left });
  }
  return batch;
}

// Makes the events of pages that are gone this page's own; they keep their place in time.
function adopt() {
  keysFrom(QUEUE).forEach((key) => {
    const [at, order, owner] = key.slice(QUEUE.length).split(".");
    const entry = read(key);
    if (!entry || owner === PAGE) return;
    if (!entry.left && Math.abs(Date.now() - read(ALIVE + owner)) < ORPHAN_MS) return;
    remove(key);
    remove(ALIVE + owner);
    write(QUEUE + at + "." + (order + owner).slice(0, 12) + "." + PAGE, { event: entry.event });
    write(ALIVE + PAGE, Date.now());
  });
}

// Many tabs may open at once: one of them adopts.
function adoptAlone() {
  const alone = () =>
    navigator.locks.request("carillon", { ifAvailable: true }, (lock) => (lock ? adopt() : null));
  // Without locks, or where they are blocked like storage, ids still make repetitions harmless.
  return Promise.resolve().then(alone).catch(adopt);
}

function bodyOf(batch) {
  const sentAt = new Date().toISOString();
  return JSON.stringify({ events: batch.map((entry) => entry.event), sentAt });
}

function flush() {
  if (allowed !== true || !isReady || underWay.length) return;
  if (waitLeft() > 0) return schedule(0);
  const batch = take();
  if (!batch.length) return remove(ALIVE + PAGE);
  write(ALIVE + PAGE, Date.now()); // at least every five minutes, while something waits
  if (navigator.onLine === false) return schedule(LONGEST_RETRY_MS); // "online" comes before that
  underWay = batch;
  return Promise.resolve(bodyOf(batch))
    .then(post)
    .then(
      (answer) => settle(batch, answer),
      (error) => postpone(batch, 0, String(error.message || error)),
    )
    .catch((error) => fail("send", error))
    .then(() => {
      underWay = [];
      schedule(GATHER_MS);
    });
}

function post(body) {
  const cut = typeof AbortController === "function" ? new AbortController() : null;
  const giveUp = cut && later(ANSWER_MS, () => cut.abort());
  const done = () => clearTimeout(giveUp);
  const request = fetch(EVENTS_URL, {
    method: "POST",
    headers: { "Content-Type": "text/plain;charset=UTF-8" }, // needs no preflight
    body,
    credentials: "omit",
    // It outlives the page; where that is refused (too much is under way), the retry goes without.
    keepalive: failures === 0 && body.length < 20000,
    signal: cut ? cut.signal : undefined,
  });
  request.then(done, done);
  return request;
}

function settle(batch, answer) {
  if (answer.status === 429 || answer.status === 408 || answer.status >= 500) {
    const seconds = Number(answer.headers.get("Retry-After")) || 0;
    return postpone(batch, seconds * 1000, answer.status);
  }
  // Anything else is Carillon's last word: what it refused once, it would refuse again.
  failures = 0;
  batch.forEach((entry) => remove(entry.key));
  return answer.json().then(
    (said) => conclude(batch, answer, said),
    () => conclude(batch, answer, {}),
  );
}

function conclude(batch, answer, said) {
  tell("log", { what: "sent", status: answer.status, events: batch.map((e) => e.event), said });
  const refused = {};
  (said.rejected || []).forEach((one) => (refused[one.index] = one));
  batch.forEach(({ event }, index) => {
    const error = answer.ok ? refused[index] : said;
    if (error) fail("send " + event.type, error.message || error.code || answer.status);
    const result = { ok: !error, id: event.id, type: event.type };
    if (error) Object.assign(result, { code: error.code, message: error.message });
    const callback = callbacks[event.id];
    delete callbacks[event.id];
    if (callback) guarded("callback", callback)(result);
  });
}

function postpone(batch, floor, why) {
  isNetwork = typeof why === "string";
  const backoff = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failures++);
  const wait = Math.max(Math.min(floor, LONGEST_WAIT_MS), backoff * (0.5 + Math.random() / 2));
  write("wait", Date.now() + wait); // for the site's other pages too
  tell("log", { what: "waits", why, ms: Math.round(wait), events: batch.map((e) => e.event) });
}

// The page goes: what is not under way is handed to the browser. All of it stays in the queue, for
// the next page, because nobody will hear the answers.
function leave() {
  isGone = true;
  const isOpen = ({ key, left }) => !left && !underWay.some((entry) => entry.key === key);
  const batch = take().filter(isOpen);
  // Where storage is blocked, this is their last chance, so they don't wait for a better moment.
  const isLast = batch.some(({ key }) => key in memory);
  const may = batch.length && (isLast || waitLeft() <= 0) && navigator.onLine !== false;
  if (may && navigator.sendBeacon) navigator.sendBeacon(EVENTS_URL, bodyOf(batch));
  keysFrom(QUEUE).forEach((key) => {
    const entry = key.endsWith(PAGE) && read(key);
    if (entry) write(key, { event: entry.event, left: true });
  });
  remove(ALIVE + PAGE);
}

function comeBack() {
  isGone = false;
  return adoptAlone().then(() => {
    isReady = true;
    schedule(GATHER_MS);
  });
}

function startQueue() {
  listen(window, "pagehide", leave);
  listen(window, "pageshow", comeBack); // also from the back-forward cache
  listen(document, "visibilitychange", () => schedule(0)); // hidden: perhaps never seen again
  listen(window, "online", () => {
    if (isNetwork) remove("wait"); // Carillon's own Retry-After still holds
    return comeBack();
  });
  comeBack();
}
