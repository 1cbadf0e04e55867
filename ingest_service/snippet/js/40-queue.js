// The queue to Carillon. An event waits in localStorage, under a key of its own, until Carillon has
// confirmed that it is stored. A page sends its own events; the site's next page adopts those of a closed
// one. An event that was under way then is sent again under the same id: it counts once.

const QUEUE = OWN + "q.";
const BATCH_EVENTS = 50;
const BATCH_CHARACTERS = 15000; // in UTF-8 at most 45 KB: browsers let 64 KB outlive a page
const EVENT_CHARACTERS = 32000; // Carillon takes no larger one
const KEPT_CHARACTERS = 200000; // beyond these the oldest are dropped: the storage is the shop's
const LEAST_CHARACTERS = 1000; // the least weight of an event, so that there are 200 at most
const ORPHAN_MS = 600000; // a crashed page could not remove its mark

const PAGE = uuid().slice(0, 8);
const ALIVE = OWN + "alive.";
const callbacks = {}; // by event id, for as long as this page lives
let lastTime = 0;
let room = 0; // until the queue is measured again

// `facts` are the event's, if it reports news; `refused` is the code why it isn't to be sent.
function enqueue(type, data, callback, facts, refused) {
  if (!mayAct()) return;
  // A later event has a later time: Carillon orders by the millisecond.
  lastTime = Math.max(lastTime + 1, Date.now());
  const event = {
    id: uuid(),
    type,
    visitorId: visitorId(),
    occurredAt: new Date(lastTime).toISOString(),
    page: page(),
    context: CONTEXT,
    data: data || {},
  };
  const entry = { event, facts };
  callbacks[event.id] = callback;
  const size = JSON.stringify(event).length;
  const code = refused || (size > EVENT_CHARACTERS && "too_large");
  if (code) return conclude(entry, { code });
  makeRoom(size);
  write(ALIVE + PAGE, Date.now());
  write(QUEUE + (lastTime * 1000).toString(36) + "." + PAGE, entry); // keys sort by time
  remember(facts, Date.now());
  notify("log", { what: "event", type, event });
  return handed ? leave() : schedule(GATHER_MS);
}

// The end of an event: its callback is called, and facts of a rejected one are news again.
function conclude({ event, facts }, error) {
  const { id, type } = event;
  if (error) {
    remember(facts);
    fail("send " + type, error);
  }
  const { code, message } = Object(error);
  const callback = callbacks[id];
  delete callbacks[id];
  if (callback) guarded("callback", callback)({ ok: !error, id, type, code, message });
}

// Drops the oldest events beyond the bound, a quarter at once: measuring the queue takes time.
function makeRoom(size) {
  const weightOf = (length) => Math.max(length, LEAST_CHARACTERS);
  room -= weightOf(size);
  if (room >= 0) return;
  const keys = keysFrom(QUEUE);
  const weights = keys.map((key) => weightOf(kept(key).length));
  let total = weightOf(size);
  weights.forEach((one) => (total += one));
  const bound = total > KEPT_CHARACTERS ? KEPT_CHARACTERS * 0.75 : KEPT_CHARACTERS;
  for (let i = 0; total > bound; i++) {
    const entry = read(keys[i]);
    total -= weights[i];
    remove(keys[i]);
    if (entry && entry.event) conclude(entry, { code: "dropped" });
  }
  room = KEPT_CHARACTERS - total;
}

// Returns the oldest of this page's events.
function take() {
  const batch = [];
  let characters = 0;
  for (const key of mayAct() ? keysFrom(QUEUE) : []) {
    const entry = read(key);
    if (!entry || !entry.event) {
      remove(key); // cut off
      continue;
    }
    if (!key.endsWith(PAGE)) continue;
    characters += JSON.stringify(entry.event).length;
    if (batch.length === BATCH_EVENTS || (batch.length && characters > BATCH_CHARACTERS)) break;
    batch.push(Object.assign(entry, { key }));
  }
  return batch;
}

// Adopts the events of closed pages; they keep their order in time. If two tabs do it at the same moment,
// an event is sent twice under its id, and counts once.
function adopt() {
  keysFrom(QUEUE).forEach((key) => {
    const [at, owner] = key.slice(QUEUE.length).split(".");
    const entry = read(key);
    if (!entry || owner === PAGE) return;
    if (Math.abs(Date.now() - read(ALIVE + owner)) < ORPHAN_MS) return;
    remove(key);
    remove(ALIVE + owner);
    write(ALIVE + PAGE, Date.now());
    write(QUEUE + (at + owner).slice(0, 18) + "." + PAGE, entry); // its time, and its first page
  });
}
