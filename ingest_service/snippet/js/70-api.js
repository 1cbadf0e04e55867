// The function on the page: `carillon(command, …)`, or Persoo's under its configured name.

const HELD = 100; // calls kept while nobody has said whether they are allowed
let held = [];
let hasBegun = false;

const commands = {
  // ('send', type, data, callback), ('send', type, callback), ('send', data, callback)
  send(type, data, callback) {
    if (typeof type !== "string") return commands.send("pageview", type, data);
    if (typeof data === "function") return commands.send(type, undefined, data);
    enqueue(type, data, callback);
  },
  identify: (person, callback) => identify(person, callback),
  logout(callback) {
    remove("person"); // the same login later on is news again
    enqueue("logout", {}, callback);
    tellSdk({});
  },
  profile: (callback) => profile(callback),
  visitor: (callback) => (callback ? callback(visitorId()) : visitorId()),
};

// Commands that need no consent: they neither store nor send.
const always = {
  consent,
  onError: (listener) => listeners.error.push(listener),
  log: (listener) => listeners.log.push(listener || ((entry) => console.log("carillon", entry))),
};

function identify(person, callback) {
  const login = word(person && person.login, 256);
  const email = word(person && person.email, 320);
  enqueue("identify", { login, email, loginHash: person && person.loginHash }, callback);
  isNews("person", JSON.stringify([login, email]), 0); // so that the data layer needn't say it again
  if (login) tellSdk({ login });
}

// What Carillon knows of this browser; without a callback, for whoever types it into the console.
function profile(callback) {
  const query = "?key=" + encodeURIComponent(config.key) + "&visitorId=" + visitorId();
  const asked = fetch(BASE + "/v1/profile" + query, { credentials: "omit" }).then((answer) =>
    answer.json().then((said) => {
      if (!answer.ok) throw new Error(said.message || "profile: " + answer.status);
      return said;
    }),
  );
  const show = callback || ((found) => console.log(JSON.stringify(found, null, 2)));
  asked.then(guarded("callback", show), () => {});
  return asked;
}

function consent(given) {
  allowed = given !== false;
  if (allowed) return begin();
  held = [];
  forget();
}

function begin() {
  if (hasBegun) return look(); // allowed again: the status is news for the new visitor id
  if (!BASE) return fail("start", "set data-ingest: the script does not know where it came from");
  // A page that is only prepared is seen by nobody yet.
  if (document.prerendering) return listen(document, "prerenderingchange", begin);
  hasBegun = true;
  visitorId();
  startQueue();
  guarded("OneSignal", startOneSignal)();
  whenDescribed(guarded("data layer", startLayer));
  held.splice(0).forEach((call) => api.apply(null, call));
}

const api = guarded("call", function (command) {
  const rest = Array.prototype.slice.call(arguments, 1);
  if (always[command]) return always[command].apply(null, rest);
  if (!commands[command]) return fail("call", "there is no command " + command);
  if (allowed === false) return;
  if (hasBegun) return commands[command].apply(null, rest);
  if (held.length < HELD) held.push([command].concat(rest));
});
api.version = config.version;
api.key = config.key;

function install(name) {
  const stub = window[name];
  if (stub && stub.version && stub.key === config.key) return; // included twice: one is enough
  window[name] = window[STARTED] || api;
  const calls = ((stub && stub.q) || []).map((call) => Array.prototype.slice.call(call));
  if (window[STARTED]) return calls.forEach((call) => window[name].apply(null, call));
  window[STARTED] = api;
  // What the page says about consent and errors counts from the start, wherever it stands.
  calls.filter((call) => always[call[0]]).forEach((call) => api.apply(null, call));
  held = calls.filter((call) => !always[call[0]]).slice(0, HELD);
  if (allowed === true) begin();
}
