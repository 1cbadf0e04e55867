// The function on the page: `carillon(command, …)`, or Persoo's under its configured name.

const MAX_CALLS = 100; // that wait for the visitor's decision on consent
let waitingCalls = [];
let hasBegun = false;

const commands = {
  // ('send', type, data, callback), ('send', type, callback), ('send', data, callback)
  send(type, data, callback) {
    if (typeof type !== "string") return commands.send("pageview", type, data);
    if (typeof data === "function") return commands.send(type, undefined, data);
    if (type === "identify") return commands.identify(data, callback);
    enqueue(type, data, callback);
  },
  identify: (person, callback) => reportPerson(...readPerson(Object(person)), callback),
  logout(callback) {
    enqueue("logout", {}, callback);
    remember({ login: 0, email: 0 }); // both are news again
    wishSdk("");
  },
  profile,
  visitor: (callback) => (callback ? callback(visitorId()) : visitorId()),
};

// Commands that need no consent: they neither store nor send.
const always = {
  consent,
  check,
  onError: (listener) => listeners.error.push(listener),
  log: (listener) => listeners.log.push(listener || ((entry) => console.log("carillon", entry))),
};

// Carillon's data of this browser; without a callback it is printed to the console.
function profile(callback) {
  const url = BASE + "/v1/profile" + KEY + "&visitorId=" + visitorId();
  const asked = fetch(url)
    .then((answer) => answer.json())
    .then((view) => {
      if (!view.db) throw view; // an error, with its reason
      return view;
    });
  const show = callback || ((found) => console.log(JSON.stringify(found, null, 2)));
  asked.then(guarded("callback", show), () => {});
  return asked;
}

// Checks this page's integration, in sentences: by a script of its own.
function check() {
  return new Promise((done) => {
    const script = loadScript(BASE + "/v1/check.js" + KEY);
    script.onload = () => done(script.check(allowed, sdk, named));
  });
}

// Only `true` is a consent.
function consent(given) {
  if (given !== true) return withdraw();
  allowed = true;
  visitor = null; // gets a new id if another tab has removed it
  return begin();
}

function begin() {
  if (!allowed) return;
  if (hasBegun) return look(); // allowed again: the status is news for the new visitor id
  if (!BASE) return fail("start", "no data-ingest");
  // A prerendered page isn't visible yet.
  if (document.prerendering) return listen(document, "prerenderingchange", begin);
  hasBegun = true;
  visitorId();
  startQueue();
  guarded("OneSignal", startOneSignal)();
  guarded("data layer", startLayer)();
  waitingCalls.splice(0).forEach((call) => api(...call));
}

const api = guarded("call", (command, ...rest) => {
  if (always[command]) return always[command](...rest);
  if (!commands[command]) return fail("call", "unknown command " + command);
  if (hasBegun || allowed === false) return mayAct() ? commands[command](...rest) : undefined;
  if (waitingCalls.length >= MAX_CALLS) return fail("call", "too many before consent: " + command);
  waitingCalls.push([command].concat(rest));
});
api.version = config.version;

function install(name) {
  const first = window[STARTED];
  const stub = window[name] || {};
  if (stub === first) return; // included twice: one is enough
  const calls = list(stub.q).map(list);
  window[name] = window[STARTED] = first || api;
  if (first) return calls.forEach((call) => first(...call));
  // Calls about consent and errors count from the start, wherever they are in the queue.
  const isAlways = guarded("call", ([command]) => always[command]);
  waitingCalls = calls.filter((call) => !isAlways(call));
  calls.filter(isAlways).forEach((call) => api(...call));
  begin();
}
