// Stands in for OneSignal's SDK at the sandbox, which is its server and its push service: what the
// v15 and the v16 face share. The worker shows pushes and posts the webhooks (worker.js).

// SANDBOX: the address of the one that serves this script.

const KEY = "onesignal.standin"; // {id, token, optedOut, after, user}
const WAIT_SECONDS = 20;
const RETRY_MS = 3000;

const core = {
  options: null, // init's
  isReady: null, // a promise, once init was called
  emit: () => undefined, // the face's
};

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || {};
  } catch {
    return core.kept || {};
  }
}

function change(values) {
  core.kept = { ...read(), ...values };
  try {
    localStorage.setItem(KEY, JSON.stringify(core.kept));
  } catch {
    // blocked: as long as the page lives
  }
}

const permission = () => window.Notification?.permission ?? "denied";
const isOn = () => Boolean(read().id) && !read().optedOut && permission() === "granted";

async function call(method, path, body) {
  const answer = await fetch(`${SANDBOX}${path}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const result = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(result)}`);
  return result;
}

function device() {
  const agent = navigator.userAgent;
  const type = agent.includes("Firefox/") ? "FirefoxPush" : agent.includes("Chrome/") ? "ChromePush" : "SafariPush";
  return {
    type,
    token: `https://push.invalid/${crypto.randomUUID()}`,
    language: navigator.language.slice(0, 2),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

// Keeps the options of `init` for the worker, as the real SDK does: the same database, stores and keys.
function keep(options, shown) {
  return new Promise((done) => {
    const request = indexedDB.open("ONE_SIGNAL_SDK_DB", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("Ids", { keyPath: "type" });
      request.result.createObjectStore("Options", { keyPath: "key" });
    };
    request.onerror = done; // blocked, or of another version
    request.onsuccess = () => {
      const writing = request.result.transaction(["Ids", "Options"], "readwrite");
      writing.objectStore("Ids").put({ type: "appId", id: options.appId });
      const store = writing.objectStore("Options");
      const webhooks = options.webhooks ?? {};
      for (const name of [`notification.${shown}`, "notification.clicked", "notification.dismissed", "cors"]) {
        store.put({ key: `webhooks.${name}`, value: webhooks[name] ?? false });
      }
      writing.oncomplete = writing.onabort = done;
      request.result.close();
    };
  });
}

async function start(options, worker) {
  core.options = options;
  await keep(options, worker.sdk === "v15" ? "displayed" : "willDisplay");
  if (!("serviceWorker" in navigator)) return;
  const path = `/${options.serviceWorkerPath ?? "OneSignalSDKWorker.js"}`;
  const scope = options.serviceWorkerParam?.scope ?? "/";
  await navigator.serviceWorker.register(path, { scope });
  core.worker = await navigator.serviceWorker.ready;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.oneSignal) window.dispatchEvent(new CustomEvent("onesignal", { detail: data }));
  });
  core.settings = (push) => ({
    sdk: worker.sdk,
    appId: options.appId,
    player: read().id,
    webhooks: options.webhooks ?? {},
    sandbox: SANDBOX,
    site: document.location.origin,
    siteName: core.siteName ?? document.location.host,
    icon: document.querySelector("link[rel~=icon]")?.href,
    push,
  });
  poll();
}

let polling = false;

// One tab at a time fetches, and hands what came to the worker, as the push service would.
async function poll() {
  if (polling || !isOn()) return;
  polling = true;
  await navigator.locks.request("onesignal.pushes", async () => {
    while (isOn()) {
      const { id, after = 0 } = read();
      try {
        const query = `after=${after}&wait=${WAIT_SECONDS}`;
        const { pushes, next, site } = await call("GET", `/sandbox/browsers/${id}/pushes?${query}`);
        change({ after: next });
        core.siteName = site;
        for (const push of pushes) core.worker.active.postMessage({ received: core.settings(push) });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  });
  polling = false;
}

async function ask() {
  const before = permission();
  const now = before === "granted" ? before : await window.Notification?.requestPermission();
  if (now !== before) core.emit("permission", now);
  return now === "granted";
}
