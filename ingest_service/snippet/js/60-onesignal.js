// The bridge to OneSignal's SDK, v16 and v15: loads it or finds the page's own, reports the player
// id and the permission, and passes logins to it.

const REPORT_AGAIN_MS = 86400000; // so that a lost report is repeated
const POLL_MS = 10000; // the id, or an SDK, may come late and without an event
const HOOK = config.webhookKey && BASE + "/v1/webhooks/onesignal/" + config.webhookKey;
let sdk = null; // {read: () => Promise<{id, isOn}>, login, logout}
let isOurs = null; // whether this script loads it: known once the page is parsed
let isAsked = false;
let reported = null; // by this page: if that is rejected, the next page tries again
let lateId = null; // from a change event: early v16 SDKs had it there before their getter did

function startOneSignal() {
  if (!config.appId) return;
  // For pages that configure the SDK themselves: `webhooks: {"notification.clicked": it, …}`.
  if (HOOK && !window.oneSignalWebHookURL) window.oneSignalWebHookURL = HOOK;
  whenParsed(look);
  listen(document, "visibilitychange", look);
  later(1000, look);
  setInterval(guarded("timer", look), POLL_MS);
}

function findSdk() {
  if (document.readyState === "loading") return; // the page's own may be further down
  if (isOurs === null) {
    const isThere = window.OneSignal || document.querySelector("script[src*=OneSignalSDK]");
    isOurs = config.sdkUrl && !isThere;
    window.OneSignalDeferred = window.OneSignalDeferred || [];
    if (isOurs) loadScript(config.sdkUrl);
  }
  if (!isAsked) window.OneSignalDeferred.push(guarded("OneSignal", found16));
  isAsked = true;
  // v15 is an array until it has loaded; v16 never has `getUserId`.
  if (window.OneSignal && window.OneSignal.getUserId) return attach15(window.OneSignal);
}

function found16(OneSignal) {
  isAsked = mayAct(); // else later, once it is allowed
  if (!isAsked) return;
  return Promise.resolve(isOurs && OneSignal.init(sdkOptions())).then(() => attach16(OneSignal));
}

function sdkOptions() {
  const webhooks = {
    "cors": false,
    "notification.willDisplay": HOOK,
    "notification.clicked": HOOK,
    "notification.dismissed": HOOK,
  };
  const options = { appId: config.appId, allowLocalhostAsSecureOrigin: true };
  return Object.assign(options, config.worker, HOOK && { webhooks });
}

function loadScript(url) {
  const script = document.createElement("script");
  script.src = url;
  script.nonce = SCRIPT.nonce; // a strict policy trusts this script, so also the SDK
  script.onerror = () => fail("script", url + " does not load");
  return document.head.appendChild(script);
}

function attach16(OneSignal) {
  const { PushSubscription } = OneSignal.User;
  const change = guarded("OneSignal", (event) => {
    lateId = Object(Object(event).current).id || lateId;
    return look();
  });
  PushSubscription.addEventListener("change", change);
  OneSignal.Notifications.addEventListener("permissionChange", change);
  return attach({
    read: () => {
      const { id, optedIn } = PushSubscription;
      return Promise.resolve([UUID.test(id) ? id : lateId, optedIn]);
    },
    login: (login) => OneSignal.login(login),
    logout: () => OneSignal.logout(),
  });
}

function attach15(OneSignal) {
  ["subscriptionChange", "notificationPermissionChange"].forEach((event) => {
    OneSignal.on(event, guarded("OneSignal", look));
  });
  return attach({
    read: () => Promise.all([OneSignal.getUserId(), OneSignal.isPushNotificationsEnabled()]),
    login: (login) => OneSignal.setExternalUserId(login),
    logout: () => OneSignal.removeExternalUserId(),
  });
}

function attach(found) {
  sdk = found;
  guarded("OneSignal", loginSdk)();
  return look();
}

// Reports a new status. Ids that begin with "local-" are temporary ones of the SDK, not players yet.
function look() {
  if (!mayAct()) return;
  if (!sdk) return findSdk();
  return sdk.read().then(([id, isOn]) => {
    if (!UUID.test(id)) return;
    const { permission = "default" } = window.Notification || {};
    const off = { granted: "optedOut", denied: "blocked" }[permission] || "default";
    const status = isOn && permission !== "denied" ? "subscribed" : off;
    const facts = { push: hash([visitorId(), id, status, permission]) };
    if (facts.push !== reported && isNews(facts, REPORT_AGAIN_MS)) {
      reported = facts.push;
      enqueue("oneSignal", { playerID: id, status, permission }, null, facts);
    }
  });
}

// The page may close before the SDK is there: then the site's next page passes the login on. If the shop
// doesn't pass logins, a login left by an older version of this script isn't passed either.
function loginSdk() {
  const wish = config.loginToSdk ? read(WISH) : null;
  if (!sdk || wish === null) return;
  return Promise.resolve(wish ? sdk.login(wish) : sdk.logout()).then(() => {
    if (read(WISH) === wish) remove(WISH);
  });
}

function wishSdk(login) {
  if (config.loginToSdk) write(WISH, login);
  return guarded("OneSignal", loginSdk)();
}
