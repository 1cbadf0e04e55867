// Checks of OneSignal's integration, for check.js: the SDK, the options of its `init`, the worker file,
// permission, player and webhooks.

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

// The file that the page's own SDK has registered, else the configured one.
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

// Data of the page's `init` for the worker (the SDK's own IndexedDB, v15 and v16): the app's id and the
// webhooks' addresses. The database is only read, and not created if it is absent.
function stored() {
  return new Promise((done) => {
    const request = indexedDB.open("ONE_SIGNAL_SDK_DB");
    request.onupgradeneeded = () => request.transaction.abort();
    request.onerror = () => done(null);
    request.onsuccess = () => {
      const db = request.result;
      const found = {};
      const names = ["Ids", "Options"].filter((name) => db.objectStoreNames.contains(name));
      if (!names.length) return db.close(), done(null);
      const reading = db.transaction(names);
      names.forEach((name) => {
        reading.objectStore(name).getAll().onsuccess = ({ target }) =>
          target.result.forEach((one) => {
            found[one.key || one.type] = "value" in one ? one.value : one.id;
          });
      });
      reading.oncomplete = reading.onabort = () => done(found);
      db.close(); // once that is read
    };
  });
}

// The app id; from the SDK's public fields if it stores it elsewhere.
function startedAs(found) {
  return Object(found).appId || Object(Object(window.OneSignal).config).appId;
}

function checkApp(sdk) {
  if (!config.appId || !sdk) return line("app", null, "OneSignal isn't started: its app id isn't known.");
  return stored().then((found) => {
    const id = startedAs(found);
    if (!id) return line("app", null, "Which OneSignal app this page has started can't be seen.");
    if (String(id).toLowerCase() === config.appId.toLowerCase()) {
      return line("app", true, `OneSignal is started with the app's own id, ${id}.`);
    }
    const text = `OneSignal is started with the app id ${id}, but pushes are sent to ${config.appId}: `;
    return line("app", false, text + "nobody who subscribes here gets any.");
  });
}

function checkHooks(found) {
  const known = `Carillon knows the webhook key ${config.webhookKey}`;
  if (!startedAs(found) || !found) {
    return line("webhook", null, known + "; whether OneSignal's `init` has its `webhooks` can't be seen.");
  }
  const display = Object(window.OneSignal).getUserId ? "displayed" : "willDisplay";
  const names = [display, "clicked", "dismissed"].map((one) => "notification." + one);
  const isMissing = (name) => !found["webhooks." + name];
  const missing = names.filter(isMissing);
  if (missing.length) {
    const text = `OneSignal's \`init\` on this page has no \`webhooks\` for ${missing.join(", ")}: `;
    return line("webhook", false, text + `none is reported. Each should be ${HOOK}`);
  }
  const path = HOOK.replace(/^.*(?=\/v1\/)/, "");
  const others = names.filter((name) => !String(found["webhooks." + name]).endsWith(path));
  if (others.length) {
    const text = `The \`webhooks\` of OneSignal's \`init\` for ${others.join(", ")} go elsewhere`;
    return line("webhook", false, `${text}, not to ${HOOK}`);
  }
  return line("webhook", true, known + ", and OneSignal's `init` has it.");
}

function checkWebhook() {
  if (!config.webhookKey) {
    const text = "The app has no `snippet.webhookKey`: nothing that pushes do is reported.";
    return line("webhook", config.appId ? false : null, text);
  }
  const isOther = window.oneSignalWebHookURL && window.oneSignalWebHookURL !== HOOK;
  if (isOther) return line("webhook", false, `\`oneSignalWebHookURL\` on this page isn't ${HOOK}.`);
  return ask(HOOK + "?check=1", { method: "POST", body: "{}" }).then(({ status, json }) => {
    if (!status) return line("webhook", false, HOOK + UNREACHED);
    if (status === 401) return line("webhook", false, `Carillon refuses the webhook key: ${json.code}.`);
    return stored().then(checkHooks);
  });
}
