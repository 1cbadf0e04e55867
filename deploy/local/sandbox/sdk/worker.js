// Stands in for OneSignal's service worker: shows the push and posts the real webhooks, v15 or v16,
// with and without `cors`. What really happened goes to the sandbox's tally as well.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const { received, acted } = event.data;
  if (received) event.waitUntil(receive(received));
  if (acted) event.waitUntil(actOn(acted));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(click(event.notification.data, event.action));
});

self.addEventListener("notificationclose", (event) => {
  event.waitUntil(dismiss(event.notification.data));
});

async function receive(message) {
  const isV15 = message.sdk === "v15";
  const reported = isV15 ? null : post(message, "willDisplay"); // v16 reports before it shows
  const isVisible = await show(message);
  if (isV15) await post(message, "displayed");
  await Promise.all([reported, tally(message, "displayed")]);
  await notifyPages("displayed", message, { isVisible });
}

// Without a topic a push replaces the last one, as with the real SDK.
async function show(message) {
  const { push } = message;
  try {
    await self.registration.showNotification(push.title ?? message.siteName, {
      body: push.body ?? undefined,
      icon: push.icon ?? message.icon,
      image: push.image ?? undefined,
      tag: push.topic ?? message.appId,
      renotify: true,
      actions: (push.actionButtons ?? []).slice(0, 2).map((b) => ({ action: b.actionId, title: b.text })),
      data: message,
    });
    return true;
  } catch {
    return false; // not permitted any more
  }
}

async function click(message, action) {
  const { push } = message;
  const button = (push.actionButtons ?? []).find((one) => one.actionId === action);
  const url = button?.launchURL ?? push.launchURL ?? message.site;
  // The webhook is under way before the window opens.
  const reported = post(message, "clicked", { button, url });
  await notifyPages("clicked", message, {});
  await open(url);
  await Promise.all([reported, tally(message, "clicked")]);
}

async function dismiss(message) {
  await Promise.all([post(message, "dismissed"), tally(message, "closed")]);
  await notifyPages("closed", message, {});
}

// For a desktop that shows no notifications: the page has a card, and says what was done to it.
async function actOn({ message, kind, action }) {
  for (const visible of await self.registration.getNotifications()) {
    if (visible.data?.push.notificationId === message.push.notificationId) visible.close();
  }
  await (kind === "clicked" ? click(message, action) : dismiss(message));
}

async function open(url) {
  const [page] = await self.clients.matchAll({ type: "window" });
  try {
    if (page && new URL(url).origin === self.location.origin) return await (await page.navigate(url))?.focus();
    return await self.clients.openWindow(url);
  } catch {
    return null; // without a real click no window may be focused or opened
  }
}

async function post(message, kind, act = {}) {
  const event = `notification.${kind}`;
  const url = message.webhooks[event];
  if (!url) return;
  const body = message.sdk === "v15" ? bodyV15(event, message, act) : bodyV16(event, message, act);
  const cors = { "Content-Type": "application/json", "X-OneSignal-Event": event };
  try {
    await fetch(url, {
      method: "POST",
      mode: message.webhooks.cors ? "cors" : "no-cors",
      headers: message.webhooks.cors ? cors : {},
      body: JSON.stringify(body), // a string goes as text/plain, and undefined keys stay away
    });
  } finally {
    await notifyPages("webhook", message, { event, body });
  }
}

function bodyV16(event, { push, player, siteName }, { button, url }) {
  return {
    event,
    notificationId: push.notificationId,
    heading: push.title ?? (event === "notification.willDisplay" ? undefined : siteName),
    content: push.body ?? undefined,
    additionalData: push.additionalData ?? undefined,
    actionId: event === "notification.clicked" ? (button?.actionId ?? "") : undefined,
    url: url ?? push.launchURL ?? undefined,
    subscriptionId: player,
  };
}

function bodyV15(event, { push, player, siteName }, { button }) {
  const buttons = (push.actionButtons ?? []).map((one) => ({
    action: one.actionId,
    title: one.text,
    icon: one.icon ?? undefined,
    url: one.launchURL ?? undefined,
  }));
  return {
    event,
    id: push.notificationId,
    userId: player ?? null,
    action: button?.actionId,
    buttons: buttons.length ? buttons : undefined,
    heading: push.title ?? siteName,
    content: push.body ?? undefined,
    url: push.launchURL ?? undefined,
    icon: push.icon ?? undefined,
    data: push.additionalData ?? undefined,
  };
}

async function tally({ sandbox, player, push }, kind) {
  await fetch(`${sandbox}/sandbox/browsers/${player}/acts`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ notification_id: push.notificationId, kind }),
  }).catch(() => undefined);
}

async function notifyPages(what, message, more) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  pages.forEach((page) => page.postMessage({ oneSignal: true, what, message, ...more }));
}
