// The script of carillon('check'): checks this page's integration, in sentences. It sends Carillon the
// requests of a page, reads the page, and changes nothing.

const HERE = document.currentScript;
const BASE = HERE.src.replace(/\/v1\/check\.js.*/, "");
const KEY = "?key=" + encodeURIComponent(config.key || "");
const HOOK = BASE + "/v1/webhooks/onesignal/" + config.webhookKey;
const UNREACHED = " can't be reached from this page: an ad blocker, its content policy or the network.";
const LONGEST_MS = 10000;

const line = (check, ok, text) => ({ check, ok, text });

// A response as {status, type, text, json}; status 0 if nothing can be read.
function ask(path, options) {
  return fetch(path, options)
    .then((answer) =>
      answer.text().then((text) => {
        const type = answer.headers.get("Content-Type") || "";
        const isJson = /json/.test(type);
        return { status: answer.status, type, text, json: isJson ? Object(JSON.parse(text)) : {} };
      }),
    )
    .catch(() => ({ status: 0, type: "", text: "", json: {} }));
}

function checkKey() {
  if (!config.code) return line("key", true, "Carillon knows the write key " + config.key + ".");
  return line("key", false, `Carillon refuses the write key: ${config.code}: ${config.message}.`);
}

function checkOrigin() {
  return ask(BASE + "/v1/profile" + KEY + "&visitorId=carillon-check").then(({ status, json }) => {
    if (json.code === "origin_not_allowed") {
      const text = " isn't among the app's `origins`: add it there, or nothing of this page is taken.";
      return line("origin", false, location.origin + text);
    }
    if (!status) return line("origin", false, BASE + UNREACHED);
    if (!json.db && !json.code) return line("origin", false, `What answers at ${BASE} isn't Carillon.`);
    if (status === 401) return line("origin", null, "Without a known key nobody can say if it is listed.");
    return line("origin", true, "The app takes events of " + location.origin + ".");
  });
}

function waiting() {
  try {
    const start = "carillon." + config.key + ".q.";
    return Object.keys(localStorage).filter((key) => key.startsWith(start)).length;
  } catch (_) {
    return 0; // blocked: they wait in memory
  }
}

// An empty request: nothing is stored. With `check` it isn't refused: the console would show that in red.
function checkEvents() {
  const asked = ask(BASE + "/v1/events" + KEY + "&check=1", { method: "POST", body: "[]" });
  return asked.then(({ status, json }) => {
    if (!status) return line("events", false, BASE + "/v1/events" + UNREACHED);
    if (json.accepted !== 0) {
      return line("events", false, `Events aren't taken: ${status} ${json.code || "of somebody else"}.`);
    }
    return line("events", true, `Events reach Carillon; ${waiting()} wait to be sent.`);
  });
}

function checkConsent(allowed) {
  const isAsked = config.requireConsent ? "Consent was given." : "The app requires no consent.";
  if (allowed) return line("consent", true, isAsked);
  const why = allowed === false ? "was refused" : "is required and has not been given";
  return line("consent", false, `Consent ${why}: carillon('consent', true) gives it.`);
}

const UNPROVEN = "Logins need no `loginHash`: whoever knows one can claim it.";

function isUnproven(entry) {
  return Object(entry).login && !entry.loginHash;
}

// Carillon checks the proof, and stores nothing.
function checkProof(person) {
  const event = { type: "identify", visitorId: "carillon-check", data: person };
  const body = JSON.stringify(event);
  return ask(BASE + "/v1/check" + KEY, { method: "POST", body }).then(({ status, json }) => {
    if (json.accepted === undefined) return line("login", null, `The login was not looked at: ${status}.`);
    const refusal = [].concat(json.rejected)[0];
    if (refusal) return line("login", false, `This page's login is refused: ${refusal.message}.`);
    if (!config.provesLogins) return line("login", null, UNPROVEN);
    const isLeftOut = [].concat(json.warnings || []).some(({ code }) => code === "login_unproven");
    if (!isLeftOut) return line("login", true, "This page's login is proven by its `loginHash`.");
    const why = person.loginHash ? "with a `loginHash` that isn't its proof" : "without `loginHash`";
    return line("login", false, `This page has a login ${why}: it is left out.`);
  });
}

function checkLogin(person) {
  if (config.code) return line("login", null, "Without a known key nobody can say if logins need a proof.");
  const [layered] = [].slice.call(Object(window.dataLayer)).filter(isUnproven);
  if (!config.provesLogins) {
    return layered ? checkProof({ login: layered.login }) : line("login", null, UNPROVEN);
  }
  if (!config.hasLoginSecret) {
    return line("login", false, "Logins need a `loginHash`, and the app has no secret: all are left out.");
  }
  if (person || layered) return checkProof(person || { login: layered.login });
  return line("login", null, "Logins need a `loginHash`; this page has no login.");
}

// A check that fails, or waits for an SDK forever, doesn't affect the others.
function limited(check, work) {
  const late = new Promise((_, giveUp) => {
    setTimeout(giveUp, LONGEST_MS, "no answer in " + LONGEST_MS / 1000 + " s");
  });
  return Promise.race([Promise.resolve().then(work), late]).catch((error) =>
    line(check, null, `Not checked (${check}): ${error}.`),
  );
}

HERE.check = (allowed, sdk, person) => {
  const checks = {
    key: checkKey,
    origin: checkOrigin,
    events: checkEvents,
    sdk: () => checkSdk(sdk),
    app: () => checkApp(sdk),
    worker: checkWorker,
    permission: checkPermission,
    player: () => checkPlayer(sdk),
    webhook: checkWebhook,
    consent: () => checkConsent(allowed),
    login: () => checkLogin(person),
  };
  return Promise.all(Object.keys(checks).map((name) => limited(name, checks[name]))).then((lines) => {
    const marks = { true: "✓ ", false: "✗ ", null: "· " };
    const texts = lines.map(({ ok, text }) => marks[ok] + text);
    console.log(["Carillon " + config.version].concat(texts).join("\n"));
    return lines;
  });
};
