// The visible log: what the snippet did, and what was answered. It lasts as long as the tab.

import { read, tab, write } from "./storage.js";

const KEPT = 40;
const KEY = "shop.log";
const list = document.getElementById("log");
const clock = (date) => date.toTimeString().slice(0, 8);

function show(entry) {
  const item = document.createElement("li");
  item.dataset.id = entry.id ?? "";
  item.dataset.what = entry.what;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const at = document.createElement("time");
  at.textContent = entry.at;
  const what = document.createElement("b");
  what.textContent = entry.what;
  const answer = document.createElement("span");
  answer.textContent = entry.answer;
  answer.className = { true: "good", false: "bad", undefined: "left" }[entry.good] ?? "";
  summary.append(at, " ", what, " ", answer);
  const body = document.createElement("pre");
  body.textContent = JSON.stringify(entry.details, null, 2);
  details.append(summary, body);
  item.append(details);
  const before = entry.id && list.querySelector(`[data-id="${CSS.escape(entry.id)}"]`);
  if (before) before.replaceWith(item);
  else list.prepend(item);
}

// An entry with an id replaces its former one. `good` null: not known yet.
export function note(what, answer, good, details, id = null) {
  const entry = { at: clock(new Date()), what, answer, good, details, id };
  const entries = read(KEY, [], tab);
  const at = id ? entries.findIndex((one) => one.id === id) : -1;
  if (at >= 0) {
    entry.at = entries[at].at;
    entries[at] = entry;
  } else entries.push(entry);
  write(KEY, entries.slice(-KEPT), tab);
  show(entry);
}

function onSnippet(entry) {
  if (entry.what === "event") {
    note(entry.type, "queued", null, { sent: entry.event }, entry.event.id);
  } else if (entry.what === "sent") {
    const refused = Object.fromEntries((entry.answer?.rejected ?? []).map((one) => [one.index, one]));
    entry.events.forEach((event, index) => {
      const good = entry.status === 202 && !refused[index];
      const answered = refused[index] ?? entry.answer;
      note(event.type, refused[index]?.code ?? String(entry.status), good, { sent: event, answered }, event.id);
    });
  } else if (entry.what === "waits") {
    entry.events.forEach((event) => note(event.type, `waits (${entry.why})`, null, { sent: event }, event.id));
  } else note(entry.where ?? entry.what, entry.what, false, entry);
}

// What an earlier page didn't hear the answer of: Carillon may have it; where not, this page sends it again.
const remembered = (entry) =>
  entry.good === null ? { ...entry, answer: `${entry.answer}, page left`, good: undefined } : entry;

export function openLog() {
  read(KEY, [], tab).map(remembered).forEach(show);
  window.shopSaw.forEach(onSnippet);
  window.addEventListener("snippet", ({ detail }) => onSnippet(detail));
  window.addEventListener("onesignal", ({ detail }) => {
    if (detail.what === "webhook") {
      note(detail.event.replace("notification.", "webhook "), "posted", true, { sent: detail.body });
    }
  });
  document.getElementById("log-clear").addEventListener("click", () => {
    write(KEY, [], tab);
    list.replaceChildren();
  });
}
