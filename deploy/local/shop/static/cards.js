// Each push as a card too, because not every desktop shows notifications. What is done to a card is
// done to the notification: the worker closes it and posts the same webhooks.

const cards = document.getElementById("notifications");

async function act(message, kind, action = "") {
  const registration = await navigator.serviceWorker.ready;
  registration.active.postMessage({ acted: { message, kind, action } });
}

function drop(message) {
  const topic = message.push.topic ?? message.appId;
  cards.querySelector(`[data-topic="${CSS.escape(topic)}"]`)?.remove();
  return topic;
}

function button(text, name, press) {
  const element = document.createElement("button");
  element.className = name;
  element.append(text);
  element.addEventListener("click", press);
  return element;
}

function card(message) {
  const { push } = message;
  const box = document.createElement("article");
  box.className = "notification";
  box.dataset.topic = drop(message); // the same topic replaces, as browsers do
  const icon = document.createElement("img");
  icon.src = push.icon || "/static/icon.svg";
  icon.alt = "";
  const title = document.createElement("b");
  title.textContent = push.title ?? message.siteName;
  const content = document.createElement("span");
  content.textContent = push.body ?? "";
  const text = button("", "notification-text", () => act(message, "clicked"));
  text.append(title, content);
  const close = button("×", "notification-close", () => act(message, "closed"));
  close.setAttribute("aria-label", "Dismiss");
  box.append(icon, text, close);
  const actions = (push.actionButtons ?? []).slice(0, 2);
  if (actions.length) {
    const row = document.createElement("p");
    row.className = "buttons";
    row.append(...actions.map((one) => button(one.text, "", () => act(message, "clicked", one.actionId))));
    box.append(row);
  }
  return box;
}

export function showCards() {
  window.addEventListener("onesignal", ({ detail }) => {
    if (detail.what === "displayed") cards.append(card(detail.message));
    if (detail.what === "clicked" || detail.what === "closed") drop(detail.message);
  });
}
