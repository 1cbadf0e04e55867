// The subscribe button, through OneSignal's own interface, v16 or v15, whichever is on the page.

import { carillon } from "./carillon.js";
import { note } from "./log.js";

const byId = (id) => document.getElementById(id);

const v16 = (OneSignal) => ({
  id: async () => OneSignal.User.PushSubscription.id,
  isOn: async () => OneSignal.User.PushSubscription.optedIn,
  turn: (on) => OneSignal.User.PushSubscription[on ? "optIn" : "optOut"](),
  watch: (look) => OneSignal.User.PushSubscription.addEventListener("change", look),
});

const v15 = (OneSignal) => ({
  id: () => OneSignal.getUserId(),
  isOn: () => OneSignal.isPushNotificationsEnabled(),
  turn: (on) => (on ? OneSignal.registerForPushNotifications() : OneSignal.setSubscription(false)),
  watch: (look) => OneSignal.on("subscriptionChange", look),
});

async function show(sdk) {
  const [id, isOn] = await Promise.all([sdk.id(), sdk.isOn()]);
  byId("push-state").textContent = isOn ? "subscribed" : id ? "opted out" : "not subscribed";
  byId("push-state").classList.toggle("on", Boolean(isOn));
  byId("subscribe").hidden = Boolean(isOn);
  byId("unsubscribe").hidden = !isOn;
  byId("push-me").hidden = !isOn;
  byId("push-hint").hidden = Boolean(isOn);
  byId("player-id").textContent = id ?? "none yet";
}

function on(id, act) {
  const button = byId(id);
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      note(id, "failed", false, { error: String(error) });
    }
    button.disabled = false;
  });
}

async function attach(sdk) {
  await show(sdk);
  sdk.watch(() => show(sdk));
  on("subscribe", async () => {
    await sdk.turn(true);
    await show(sdk);
    if (window.Notification?.permission !== "granted") {
      byId("push-hint").textContent = "This browser does not permit notifications for this page.";
    }
  });
  on("unsubscribe", async () => {
    await sdk.turn(false);
    await show(sdk);
  });
}

async function pushMe(campaign, visitor) {
  const body = { campaign, visitor };
  const answer = await fetch("/demo/push", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const result = await answer.json().catch(() => null);
  note(`send ${campaign}`, String(answer.status), answer.ok, { sent: body, answered: result });
}

export function startSubscription() {
  const isV15 = Boolean(document.querySelector('script[src^="/sdk/v15"]'));
  if (isV15) (window.OneSignal = window.OneSignal || []).push(() => attach(v15(window.OneSignal)));
  else (window.OneSignalDeferred = window.OneSignalDeferred || []).push((OneSignal) => attach(v16(OneSignal)));
  byId("push-me").addEventListener("click", (event) => {
    const { campaign } = event.target.dataset;
    if (campaign) carillon("visitor", (visitor) => pushMe(campaign, visitor));
  });
}
