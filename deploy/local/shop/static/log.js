// The visible log: what was sent, and what was answered. It lasts as long as the tab.

import { read, write } from "./storage.js";

const KEPT = 40;
const KEY = "shop.log";
const list = document.getElementById("log");

function show(entry) {
  const item = document.createElement("li");
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const at = document.createElement("time");
  at.textContent = entry.at;
  const what = document.createElement("b");
  what.textContent = entry.what;
  const answer = document.createElement("span");
  answer.textContent = entry.answer;
  answer.className = entry.good ? "good" : "bad";
  summary.append(at, " ", what, " ", answer);
  const body = document.createElement("pre");
  body.textContent = JSON.stringify(entry.details, null, 2);
  details.append(summary, body);
  item.append(details);
  list.prepend(item);
}

export function note(what, answer, good, details) {
  const entry = { at: new Date().toTimeString().slice(0, 8), what, answer, good, details };
  const entries = read(KEY, [], sessionStorage);
  write(KEY, [...entries, entry].slice(-KEPT), sessionStorage);
  show(entry);
}

export function openLog() {
  read(KEY, [], sessionStorage).forEach(show);
  document.getElementById("log-clear").addEventListener("click", () => {
    write(KEY, [], sessionStorage);
    list.replaceChildren();
  });
}
