// The function on the page: `carillon(command, …)`, or Persoo's under its configured name.

const HELD = 100; // further calls kept while nobody has said whether they are allowed
let held = [];
let hasBegun = false;

const commands = {
  // ('send', type, data, callback), ('send', type, callback), ('send', data, callback)
  send(type, data, callback) {
    if (typeof type !== "string") return commands.send("pageview", type, data);
    if (typeof data === "function") return commands.send(type, undefined, data);
    if (type === "identify") return commands.identify(data, callback);
    enqueue(type, data, callback);
  },
  identify: (person, callback) => tellPerson(...readPerson(Object(person)), callback),
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

// What Carillon knows of this browser; without a callback, for whoever types it into the console.
function profile(callback) {
  const url = BASE + "/v1/profile" + KEY + "&visitorId=" + visitorId();
  const asked = fetch(url)
    .then((answer) => answer.json())
    .then((said) => {
      if (!said.db) throw said; // a refusal, which says why
      return said;
    });
  const show = callback || ((found) => console.log(JSON.stringify(found, null, 2)));
  asked.then(guarded("callback", show), () => {});
  return asked;
}

// What is right and what is missing here, in sentences: a script of its own finds it out.
function check() {
  return new Promise((done) => {
    const script = loadScript(BASE + "/v1/check.js" + KEY);
    script.onload = () => done(script.check(allowed, sdk, named));
  });
}

// Nothing but `true` is a consent.
function consent(given) {
  if (given !== true) return withdraw();
  allowed = true;
  visitor = null; // begins anew where another tab has taken everything away
  return begin();
}

function begin() {
  if (!allowed) return;
  if (hasBegun) return look(); // allowed again: the status is news for the new visitor id
  if (!BASE) return fail("start", "no data-ingest");
  // A page that is only prepared is seen by nobody yet.
  if (document.prerendering) return listen(document, "prerenderingchange", begin);
  hasBegun = true;
  visitorId();
  startQueue();
  guarded("OneSignal", startOneSignal)();
  guarded("data layer", startLayer)();
  held.splice(0).forEach((call) => api(...call));
}

const api = guarded("call", (command, ...rest) => {
  if (always[command]) return always[command](...rest);
  if (!commands[command]) return fail("call", "unknown command " + command);
  if (hasBegun || allowed === false) return mayAct() ? commands[command](...rest) : undefined;
  if (held.length >= HELD) return fail("call", "too many before consent: " + command);
  held.push([command].concat(rest));
});
api.version = config.version;

function install(name) {
  const first = window[STARTED];
  const stub = window[name] || {};
  if (stub === first) return; // included twice: one is enough
  const calls = list(stub.q).map(list);
  window[name] = window[STARTED] = first || api;
  if (first) return calls.forEach((call) => first(...call));
  // What the page says about consent and errors counts from the start, wherever it stands.
  const isAlways = guarded("call", ([command]) => always[command]);
  held = calls.filter((call) => !isAlways(call));
  calls.filter(isAlways).forEach((call) => api(...call));
  begin();
}
