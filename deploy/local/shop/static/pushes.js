// Stands in for OneSignal's SDK and its service worker: registers this browser at the sandbox,
// fetches its pushes, shows them as cards and posts the v16 webhooks, as no-cors text/plain.

import { browserName, send } from "./events.js";
import { note } from "./log.js";
import { read, visitorId, write } from "./storage.js";

const config = window.shopConfig;
const KEY = "shop.subscription"; // {id, enabled, after}
const WAIT_SECONDS = 20;
const RETRY_MS = 3000;
const cards = document.getElementById("notifications");
const byId = (id) => document.getElementById(id);

export const subscription = () => read(KEY);
const isOn = () => Boolean(subscription()?.enabled);

async function callSandbox(method, path, body) {
  const answer = await fetch(`${config.sandbox}${path}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(said)}`);
  return said;
}

function showState() {
  const found = subscription();
  byId("push-state").textContent = isOn() ? "subscribed" : found ? "opted out" : "not subscribed";
  byId("push-state").classList.toggle("on", isOn());
  byId("subscribe").hidden = isOn();
  byId("unsubscribe").hidden = !isOn();
  byId("push-me").hidden = !isOn();
  byId("push-hint").hidden = isOn();
  byId("player-id").textContent = found?.id ?? "none yet";
}

async function subscribe() {
  const known = subscription();
  const path = `/apps/${config.oneSignalAppId}`;
  if (known) {
    const on = { subscription: { enabled: true, notification_types: 1 } };
    await callSandbox("PATCH", `${path}/subscriptions/${known.id}`, on);
    write(KEY, { ...known, enabled: true });
  } else {
    const made = await callSandbox("POST", `${path}/users`, newUser());
    write(KEY, { id: made.subscriptions[0].id, enabled: true, after: 0 });
  }
  showState();
  await tellStatus("subscribed", "granted");
  poll();
}

function newUser() {
  const browser = browserName();
  const type = { Firefox: "FirefoxPush", Safari: "SafariPush" }[browser] ?? "ChromePush";
  const language = navigator.language.slice(0, 2);
  const push = {
    type,
    token: `https://push.invalid/${crypto.randomUUID()}`,
    enabled: true,
    notification_types: 1,
    language,
    sdk: "160608",
    device_model: navigator.platform,
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { properties: { language, timezone_id: zone }, identity: {}, subscriptions: [push] };
}

async function unsubscribe() {
  const known = subscription();
  const off = { subscription: { enabled: false, notification_types: -2 } };
  await callSandbox("PATCH", `/apps/${config.oneSignalAppId}/subscriptions/${known.id}`, off);
  write(KEY, { ...known, enabled: false });
  showState();
  await tellStatus("optedOut", "granted");
}

function tellStatus(status, permission) {
  return send("oneSignal", { playerID: subscription().id, status, permission });
}

let polling = false;

// One tab at a time fetches, so that a push is shown once.
async function poll() {
  if (polling || !isOn()) return;
  polling = true;
  await navigator.locks.request("shop.pushes", async () => {
    while (isOn()) {
      const { id, after } = subscription();
      try {
        const path = `/sandbox/browsers/${id}/pushes?after=${after}&wait=${WAIT_SECONDS}`;
        const { pushes, next } = await callSandbox("GET", path);
        if (subscription()) write(KEY, { ...subscription(), after: next });
        pushes.forEach(receive);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  });
  polling = false;
}

// `data` is what the v16 service worker puts into each webhook; undefined keys are left out.
function webhook(event, push, more = {}) {
  const body = {
    event,
    notificationId: push.notificationId,
    heading: push.title ?? undefined,
    content: push.body ?? undefined,
    additionalData: push.additionalData ?? undefined,
    ...more,
    url: more.url ?? push.launchURL ?? undefined,
    subscriptionId: subscription()?.id,
  };
  note(event.replace("notification.", "webhook "), "sent", true, { sent: body });
  return fetch(config.webhook, {
    method: "POST",
    mode: "no-cors",
    body: JSON.stringify(body), // a string: the browser says text/plain
    keepalive: true,
  }).catch(() => undefined);
}

// The sandbox's own books: what this browser really did.
function tally(kind, push) {
  const act = { notification_id: push.notificationId, kind };
  return callSandbox("POST", `/sandbox/browsers/${subscription().id}/acts`, act).catch(() => undefined);
}

function receive(push) {
  webhook("notification.willDisplay", push); // before it is shown, and not awaited
  tally("displayed", push);
  const topic = push.topic ?? push.notificationId;
  cards.querySelector(`[data-topic="${CSS.escape(topic)}"]`)?.remove(); // as browsers do
  cards.append(card(push, topic));
}

function card(push, topic) {
  const box = document.createElement("article");
  box.className = "notification";
  box.dataset.topic = topic;
  const icon = document.createElement("img");
  icon.src = push.icon || "/static/icon.svg";
  icon.alt = "";
  const text = document.createElement("button");
  text.className = "notification-text";
  const title = document.createElement("b");
  title.textContent = push.title ?? "Bell & Rope";
  const content = document.createElement("span");
  content.textContent = push.body ?? "";
  text.append(title, content);
  text.addEventListener("click", () => open(box, push, "", push.launchURL));
  const close = document.createElement("button");
  close.className = "notification-close";
  close.textContent = "×";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => dismiss(box, push));
  box.append(icon, text, close);
  if (push.actionButtons?.length) box.append(actions(box, push));
  return box;
}

function actions(box, push) {
  const row = document.createElement("p");
  row.className = "buttons";
  for (const action of push.actionButtons.slice(0, 2)) {
    const button = document.createElement("button");
    button.textContent = action.text;
    const url = action.launchURL ?? push.launchURL;
    button.addEventListener("click", () => open(box, push, action.actionId, url));
    row.append(button);
  }
  return row;
}

// The click is told before the page opens, and awaited.
async function open(box, push, actionId, url) {
  box.remove();
  const target = url ?? location.origin;
  await Promise.all([
    webhook("notification.clicked", push, { actionId, url: target }),
    tally("clicked", push),
  ]);
  if (/^https?:/.test(target)) location.assign(target);
}

async function dismiss(box, push) {
  box.remove();
  await Promise.all([webhook("notification.dismissed", push), tally("closed", push)]);
}

async function pushMe(campaign) {
  const body = { campaign, visitor: visitorId() };
  const answer = await fetch("/demo/push", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => null);
  note(`send ${campaign}`, String(answer.status), answer.ok, { sent: body, answered: said });
}

function on(id, act) {
  byId(id).addEventListener("click", async () => {
    byId(id).disabled = true;
    try {
      await act();
    } catch (error) {
      note(id, "failed", false, { error: String(error) });
    }
    byId(id).disabled = false;
  });
}

export function startPushes() {
  showState();
  if (!config.sandbox) {
    byId("subscribe").disabled = true;
    byId("push-hint").textContent = "This page can only stand in for a browser at the sandbox.";
    return;
  }
  on("subscribe", subscribe);
  on("unsubscribe", unsubscribe);
  byId("push-me").addEventListener("click", (event) => {
    const { campaign } = event.target.dataset;
    if (campaign) pushMe(campaign);
  });
  poll();
}
