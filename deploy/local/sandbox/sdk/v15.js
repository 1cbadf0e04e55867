// The face of SDK v15: an array that becomes an object, promises or callbacks, players.

const listeners = {};
const notify = (event, value) => (listeners[event] ?? []).forEach((listener) => listener(value));
core.emit = (_, to) => notify("notificationPermissionChange", { to });

async function put(values) {
  await call("PUT", `/players/${read().id}`, { app_id: core.options.appId, ...values });
}

async function subscribe() {
  if (!(await ask())) return;
  const { token, language } = device();
  const player = { app_id: core.options.appId, device_type: 5, identifier: token, language };
  const made = await call("POST", "/players", { ...player, notification_types: 1, sdk: "151607" });
  change({ id: made.id, token, optedOut: false });
  notify("subscriptionChange", true);
  poll();
}

async function turn(on) {
  if (on && !read().id) return subscribe();
  change({ optedOut: !on });
  await put({ notification_types: on ? 1 : -2 });
  notify("subscriptionChange", isOn());
  poll();
}

let initialised;
const ready = new Promise((resolve) => (initialised = resolve));

// As in v15, answers wait for init, and go to a callback too where one is given.
function answer(find) {
  return (callback) => {
    const found = ready.then(find);
    if (callback) found.then(callback);
    return found;
  };
}

const waiting = Array.isArray(window.OneSignal) ? window.OneSignal : [];
window.OneSignal = {
  init(options) {
    const serviceWorkerPath = window.OneSignal.SERVICE_WORKER_PATH;
    core.isReady ??= start({ ...options, serviceWorkerPath }, { sdk: "v15" }).then(initialised);
    return core.isReady;
  },
  push: (work) => (typeof work === "function" ? work() : window.OneSignal[work[0]](...work.slice(1))),
  on: (event, listener) => (listeners[event] ??= []).push(listener),
  getUserId: answer(() => read().id ?? null),
  isPushNotificationsEnabled: answer(isOn),
  getSubscription: answer(() => !read().optedOut),
  getNotificationPermission: answer(permission),
  setSubscription: (on) => turn(on),
  registerForPushNotifications: () => turn(true),
  setExternalUserId: (id) => ready.then(() => read().id && put({ external_user_id: id })),
  removeExternalUserId: () => ready.then(() => read().id && put({ external_user_id: "" })),
};
waiting.forEach(window.OneSignal.push);
