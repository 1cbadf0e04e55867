// The face of SDK v16, with its habits: `change` comes twice and first without the id, local ids
// come before the real one and show in events only, `OneSignalDeferred` runs its functions in turn.

const listeners = { change: [], permissionChange: [] };
const notify = (event, value) => listeners[event].forEach((listener) => listener(value));
const state = () => ({ id: read().id ?? null, token: read().token ?? null, optedIn: isOn() });
core.emit = (_, value) => notify("permissionChange", value === "granted");

async function subscribe() {
  if (!(await ask())) return;
  const none = { id: null, token: null, optedIn: true };
  notify("change", { previous: { ...none, optedIn: false }, current: none });
  const { type, token, language, timezone } = device();
  const local = { id: `local-${crypto.randomUUID()}`, token, optedIn: true };
  notify("change", { previous: none, current: local });
  const made = await call("POST", `/apps/${core.options.appId}/users`, {
    identity: core.login ? { external_id: core.login } : {},
    properties: { language, timezone_id: timezone },
    subscriptions: [{ type, token, language, enabled: true, notification_types: 1, sdk: "160608" }],
  });
  change({ id: made.subscriptions[0].id, user: made.identity.onesignal_id, token, optedOut: false });
  notify("change", { previous: local, current: state() });
  poll();
}

async function turn(on) {
  if (on && !read().id) return subscribe();
  if (on && !(await ask())) return;
  const previous = state();
  change({ optedOut: !on });
  notify("change", { previous, current: state() });
  const subscription = { enabled: on, notification_types: on ? 1 : -2 };
  await call("PATCH", `/apps/${core.options.appId}/subscriptions/${read().id}`, { subscription });
  poll();
}

async function identify(identity) {
  core.login = identity.external_id;
  if (!read().user) return;
  const path = `/apps/${core.options.appId}/users/by/onesignal_id/${read().user}/identity`;
  // 409, somebody else has the name, is harmless: the real SDK then moves the subscription.
  await call("PATCH", path, { identity }).catch(() => undefined);
}

window.OneSignal = {
  init: (options) => (core.isReady ??= start(options, { sdk: "v16" })),
  login: (id) => identify({ external_id: id }),
  logout: async () => void delete core.login,
  User: {
    PushSubscription: {
      get id() {
        return read().id;
      },
      get token() {
        return read().token;
      },
      get optedIn() {
        return isOn();
      },
      optIn: () => turn(true),
      optOut: () => turn(false),
      addEventListener: (event, listener) => listeners[event].push(listener),
    },
  },
  Notifications: {
    get permission() {
      return permission() === "granted";
    },
    requestPermission: () => turn(true),
    isPushSupported: () => "serviceWorker" in navigator && "Notification" in window,
    addEventListener: (event, listener) => (listeners[event] ??= []).push(listener),
  },
};

let last = Promise.resolve();
const waiting = window.OneSignalDeferred ?? [];
window.OneSignalDeferred = {
  push(work) {
    last = last.then(() => work(window.OneSignal)).catch((error) => console.error(error));
  },
};
waiting.forEach(window.OneSignalDeferred.push);
