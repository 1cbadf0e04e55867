// The bridge to OneSignal's SDK, v16 and v15: loads it or finds the page's own, hands on the player
// id and what became of the permission, and tells it who is logged in.

const SDK_URL = "https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.page.js";
const REPORT_AGAIN_MS = 86400000; // so that a report that got lost is made up for
const LOOK_AGAIN_MS = [1000, 5000, 20000]; // the id may come late, and without an event
let sdk = null; // {read: () => Promise<{id, isOn}>, login, logout}
let wanted = null; // what the SDK has to be told once it is there
let lateId = null; // from a change event: early v16 SDKs had it there before their getter did

function startOneSignal() {
  if (!config.appId) return;
  const hook = config.webhookKey && BASE + "/v1/webhooks/onesignal/" + config.webhookKey;
  // For pages that configure the SDK themselves: `webhooks: {"notification.clicked": it, …}`.
  if (hook && !window.oneSignalWebHookURL) window.oneSignalWebHookURL = hook;
  // The page's own SDK may stand further down than this script.
  const find = () => findOneSignal(hook);
  if (document.readyState === "loading") listen(document, "DOMContentLoaded", find);
  else find();
}

function findOneSignal(hook) {
  const isOurs = config.loadOneSignal && !pageHasOneSignal();
  window.OneSignalDeferred = window.OneSignalDeferred || [];
  window.OneSignalDeferred.push(
    guarded("OneSignal", (OneSignal) =>
      Promise.resolve(isOurs ? OneSignal.init(sdkOptions(hook)) : null).then(() => attach16(OneSignal)),
    ),
  );
  if (isOurs) loadScript(config.sdkUrl || SDK_URL);
  else findV15();
}

function pageHasOneSignal() {
  return Boolean(window.OneSignal) || document.querySelector("script[src*=OneSignalSDK]") !== null;
}

// v15 is an array until it has loaded, and has `getUserId` then; v16 is neither.
function findV15() {
  const found = window.OneSignal;
  if (Array.isArray(found) || (found && found.getUserId)) {
    found.push(guarded("OneSignal", () => sdk || attach15(window.OneSignal)));
  } else if (document.readyState !== "complete") listen(window, "load", findV15);
}

function sdkOptions(hook) {
  const path = (config.workerPath || "/OneSignalSDKWorker.js").replace(/^\/+/, "");
  const options = {
    appId: config.appId,
    serviceWorkerPath: path, // the SDK puts the slash before it
    serviceWorkerParam: { scope: "/" + path.replace(/[^/]*$/, "") },
    allowLocalhostAsSecureOrigin: true,
  };
  if (hook) {
    options.webhooks = { cors: false };
    ["willDisplay", "clicked", "dismissed"].forEach((event) => {
      options.webhooks["notification." + event] = hook;
    });
  }
  return options;
}

function loadScript(url) {
  const script = document.createElement("script");
  script.src = url;
  script.async = true;
  if (SCRIPT && SCRIPT.nonce) script.nonce = SCRIPT.nonce; // a strict policy trusts us, so it trusts it
  script.onerror = guarded("OneSignal", () => fail("OneSignal", url + " does not load"));
  document.head.appendChild(script);
}

function attach16(OneSignal) {
  const change = guarded("OneSignal", (event) => {
    lateId = (event && event.current && event.current.id) || lateId;
    return look();
  });
  OneSignal.User.PushSubscription.addEventListener("change", change);
  OneSignal.Notifications.addEventListener("permissionChange", change);
  attach({
    read: () => {
      const { id, optedIn } = OneSignal.User.PushSubscription;
      return Promise.resolve({ id: UUID.test(id) ? id : lateId, isOn: optedIn });
    },
    login: (login) => OneSignal.login(login),
    logout: () => OneSignal.logout(),
  });
}

function attach15(OneSignal) {
  ["subscriptionChange", "notificationPermissionChange"].forEach((event) => {
    OneSignal.on(event, guarded("OneSignal", () => look()));
  });
  attach({
    read: () =>
      Promise.all([OneSignal.getUserId(), OneSignal.isPushNotificationsEnabled()]).then((found) => ({
        id: found[0],
        isOn: found[1],
      })),
    login: (login) => OneSignal.setExternalUserId(login),
    logout: () => OneSignal.removeExternalUserId(),
  });
}

function attach(found) {
  sdk = found;
  tellSdk(wanted);
  LOOK_AGAIN_MS.forEach((ms) => later(ms, look));
  listen(document, "visibilitychange", look);
  return look();
}

// Reports what is new. Ids that begin with "local-" are the SDK's own makeshift, not players yet.
function look() {
  if (!sdk || allowed !== true) return;
  return sdk.read().then(({ id, isOn }) => {
    if (!UUID.test(id)) return;
    const permission = (window.Notification && window.Notification.permission) || "default";
    const off = { granted: "optedOut", denied: "blocked" }[permission] || "default";
    const status = isOn && permission !== "denied" ? "subscribed" : off;
    if (isNews("push", [id, status, permission].join(), REPORT_AGAIN_MS)) {
      enqueue("oneSignal", { playerID: id, status, permission });
    }
  });
}

function tellSdk(wish) {
  wanted = wish;
  if (!sdk || !wish) return;
  wanted = null;
  return guarded("OneSignal", () => (wish.login ? sdk.login(wish.login) : sdk.logout()))();
}
