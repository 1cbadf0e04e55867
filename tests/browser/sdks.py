"""SDKs as a page sees them, reduced to what the bridge meets: every habit can be played by hand."""

from __future__ import annotations

PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"  # as OneSignal's own examples have it

# `sdk.permission` stands for the browser's own, which headless can't change by itself.
_COMMON = """
window.sdk = {id: undefined, on: false, calls: [], listeners: {}};
sdk.listen = (event, listener) => (sdk.listeners[event] ||= []).push(listener);
sdk.tell = (event, value) => (sdk.listeners[event] || []).forEach((listener) => listener(value));
sdk.change = (current) => sdk.tell('change', {previous: {}, current});
window.permission = 'granted';
Object.defineProperty(Notification, 'permission', {get: () => window.permission});
"""

# What the real SDK keeps of `init` for its worker, as `{key: value}` of `webhooks.…`.
KEPT = """
([appId, options]) => new Promise((done) => {
  const request = indexedDB.open('ONE_SIGNAL_SDK_DB', 7);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('Ids', {keyPath: 'type'});
    request.result.createObjectStore('Options', {keyPath: 'key'});
  };
  request.onsuccess = () => {
    const writing = request.result.transaction(['Ids', 'Options'], 'readwrite');
    writing.objectStore('Ids').put({type: 'appId', id: appId});
    for (const key of Object.keys(options)) {
      writing.objectStore('Options').put({key: 'webhooks.notification.' + key, value: options[key]});
    }
    writing.oncomplete = done;
    request.result.close();
  };
})
"""

V16 = (
    _COMMON
    + """
window.OneSignal = {
  init: async (options) => void sdk.calls.push(['init', options]),
  login: async (id) => void sdk.calls.push(['login', id]),
  logout: async () => void sdk.calls.push(['logout']),
  User: {PushSubscription: {
    get id() { return sdk.id; },
    get optedIn() { return sdk.on; },
    addEventListener: sdk.listen,
  }},
  Notifications: {addEventListener: sdk.listen},
};
const waiting = window.OneSignalDeferred || [];
window.OneSignalDeferred = {push: (work) => Promise.resolve().then(() => work(OneSignal))};
waiting.forEach(OneSignalDeferred.push);
"""
)

V15 = (
    _COMMON
    + """
const waiting = window.OneSignal || [];
window.OneSignal = {
  push: (work) => work(),
  on: sdk.listen,
  getUserId: async () => sdk.id || null,
  isPushNotificationsEnabled: async () => sdk.on,
  setExternalUserId: async (id) => void sdk.calls.push(['login', id]),
  removeExternalUserId: async () => void sdk.calls.push(['logout']),
};
waiting.forEach(OneSignal.push);
"""
)
