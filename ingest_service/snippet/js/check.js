// What carillon('check') loads: what is right on this page and what is missing, in sentences. It asks
// Carillon as a page does, looks at the page, and changes nothing.

const HERE = document.currentScript;
const BASE = HERE.src.replace(/\/v1\/check\.js.*/, "");
const KEY = "?key=" + encodeURIComponent(config.key || "");
const HOOK = BASE + "/v1/webhooks/onesignal/" + config.webhookKey;
const UNREACHED = " can't be reached from this page: an ad blocker, its content policy or the network.";
const LONGEST_MS = 10000;

const line = (check, ok, text) => ({ check, ok, text });

// What is answered, as {status, code}; 0 where nothing can be read.
function ask(path, options) {
  return fetch(path, options)
    .then((answer) =>
      answer.text().then((text) => {
        const type = answer.headers.get("Content-Type") || "";
        const isJson = /json/.test(type);
        return { status: answer.status, type, text, said: isJson ? Object(JSON.parse(text)) : {} };
      }),
    )
    .catch(() => ({ status: 0, type: "", text: "", said: {} }));
}

function checkKey() {
  if (!config.code) return line("key", true, "Carillon knows the write key " + config.key + ".");
  return line("key", false, `Carillon refuses the write key: ${config.code}: ${config.message}.`);
}

function checkOrigin() {
  return ask(BASE + "/v1/profile" + KEY + "&visitorId=carillon-check").then(({ status, said }) => {
    if (said.code === "origin_not_allowed") {
      const text = " isn't among the app's `origins`: add it there, or nothing of this page is taken.";
      return line("origin", false, location.origin + text);
    }
    if (!status) return line("origin", false, BASE + UNREACHED);
    if (!said.db && !said.code) return line("origin", false, `What answers at ${BASE} isn't Carillon.`);
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

// An empty request: Carillon says so, and nothing is stored.
function checkEvents() {
  return ask(BASE + "/v1/events" + KEY, { method: "POST", body: "[]" }).then(({ status, said }) => {
    if (!status) return line("events", false, BASE + "/v1/events" + UNREACHED);
    if (said.code !== "empty_batch") {
      return line("events", false, `Events aren't taken: ${status} ${said.code || "of somebody else"}.`);
    }
    return line("events", true, `Events reach Carillon; ${waiting()} wait to be sent.`);
  });
}

function versionOf(OneSignal) {
  const version = OneSignal.VERSION || OneSignal._VERSION;
  const isKnown = /string|number/.test(typeof version);
  return (OneSignal.getUserId ? "v15" : "v16") + (isKnown ? " " + version : "");
}

function checkSdk(sdk) {
  if (!config.appId) return line("sdk", null, "OneSignal is switched off for this app.");
  const found = Object(window.OneSignal);
  if (sdk) return line("sdk", true, `OneSignal's SDK is here: ${versionOf(found)}.`);
  if (found.User || found.getUserId) return line("sdk", null, "OneSignal's SDK is here, but not started.");
  const text = config.sdkUrl
    ? `should come from ${config.sdkUrl} and isn't here: is it blocked, or is there no consent?`
    : "isn't on this page, and the app has `loadOneSignal` off: the page must include it.";
  return line("sdk", false, "OneSignal's SDK " + text);
}

// Where the page's own SDK has registered one, that is the file.
function workerPath() {
  return navigator.serviceWorker.getRegistrations().then((found) => {
    const urls = found.map((one) => Object(one.active || one.waiting || one.installing).scriptURL);
    return urls.find((url) => /OneSignal/.test(url)) || config.workerPath;
  });
}

function checkWorker() {
  if (!config.appId) return line("worker", null, "No worker file is needed.");
  if (!navigator.serviceWorker) {
    return line("worker", false, "This page may have no service worker: it needs https.");
  }
  return workerPath().then((path) =>
    ask(path, { cache: "no-store" }).then(({ status, type, text }) => {
      const file = `The worker file ${path} `;
      if (status !== 200) return line("worker", false, `${file}answers ${status || "nothing"}.`);
      if (!/javascript/.test(type)) return line("worker", false, `${file}is served as ${type}.`);
      const isRight = /importScripts\(\s*["'`][^"'`]*OneSignalSDK[^"'`]*\.js/.test(text);
      return line("worker", isRight, file + (isRight ? "loads OneSignal's." : "doesn't load OneSignal's."));
    }),
  );
}

const PERMISSIONS = {
  granted: [true, "Notifications are permitted."],
  denied: [false, "Notifications are blocked: the visitor alone can change that, in the settings."],
  default: [null, "The visitor has not been asked for notifications yet."],
};

function checkPermission() {
  const { permission } = Object(window.Notification);
  return line("permission", ...(PERMISSIONS[permission] || [false, "This browser has no notifications."]));
}

function checkPlayer(sdk) {
  if (!sdk) return line("player", null, "There is no player id without the SDK.");
  return sdk.read().then(([id, isOn]) => {
    const isPlayer = /^[0-9a-f-]{36}$/i.test(id);
    if (!isPlayer) return line("player", null, "There is no player id yet: nobody has subscribed here.");
    return line("player", isOn ? true : null, `The player id is ${id}${isOn ? "" : ", not subscribed"}.`);
  });
}

function checkWebhook() {
  if (!config.webhookKey) {
    const text = "The app has no `snippet.webhookKey`: nothing that pushes do is reported.";
    return line("webhook", config.appId ? false : null, text);
  }
  const isOther = window.oneSignalWebHookURL && window.oneSignalWebHookURL !== HOOK;
  if (isOther) return line("webhook", false, `\`oneSignalWebHookURL\` on this page isn't ${HOOK}.`);
  return ask(HOOK, { method: "POST", body: "{}" }).then(({ status, said }) => {
    if (!status) return line("webhook", false, HOOK + UNREACHED);
    if (status === 401) return line("webhook", false, `Carillon refuses the webhook key: ${said.code}.`);
    return line("webhook", true, `Carillon knows the webhook key ${config.webhookKey}.`);
  });
}

function checkConsent(allowed) {
  const isAsked = config.requireConsent ? "Consent was given." : "The app requires no consent.";
  if (allowed) return line("consent", true, isAsked);
  const why = allowed === false ? "was refused" : "is required and has not been given";
  return line("consent", false, `Consent ${why}: carillon('consent', true) gives it.`);
}

function isUnproven(entry) {
  return Object(entry).login && !entry.loginHash;
}

function checkLogin() {
  if (config.code) return line("login", null, "Without a known key nobody can say if logins need a proof.");
  if (!config.provesLogins) {
    return line("login", null, "Logins need no `loginHash`: whoever knows one can claim it.");
  }
  if (!config.hasLoginSecret) {
    return line("login", false, "Logins need a `loginHash`, and the app has no secret: all are left out.");
  }
  const isMissing = [].slice.call(Object(window.dataLayer)).some(isUnproven);
  if (isMissing) return line("login", false, "This page has a login without `loginHash`: it is left out.");
  return line("login", null, "Logins need a `loginHash`.");
}

// One that fails, or waits for ever for an SDK, costs itself only.
function limited(check, work) {
  const late = new Promise((_, giveUp) => {
    setTimeout(giveUp, LONGEST_MS, "no answer in " + LONGEST_MS / 1000 + " s");
  });
  return Promise.race([Promise.resolve().then(work), late]).catch((error) =>
    line(check, null, `Not checked (${check}): ${error}.`),
  );
}

HERE.check = (allowed, sdk) => {
  const checks = {
    key: checkKey,
    origin: checkOrigin,
    events: checkEvents,
    sdk: () => checkSdk(sdk),
    worker: checkWorker,
    permission: checkPermission,
    player: () => checkPlayer(sdk),
    webhook: checkWebhook,
    consent: () => checkConsent(allowed),
    login: checkLogin,
  };
  return Promise.all(Object.keys(checks).map((name) => limited(name, checks[name]))).then((lines) => {
    const marks = { true: "✓ ", false: "✗ ", null: "· " };
    const texts = lines.map(({ ok, text }) => marks[ok] + text);
    console.log(["Carillon " + config.version].concat(texts).join("\n"));
    return lines;
  });
};
