// Events to Carillon's ingest, as a snippet sends them: text/plain, which needs no preflight.

import { note } from "./log.js";
import { visitorId } from "./storage.js";

const config = window.shopConfig;
const key = encodeURIComponent(config.writeKey);

function context() {
  return {
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    language: navigator.language,
    browser: browserName(),
    sdk: "shop",
  };
}

export function browserName() {
  const brands = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
  const found = brands.find(([mark]) => navigator.userAgent.includes(mark));
  return found ? found[1] : "other";
}

export async function send(type, data = {}) {
  const now = new Date().toISOString();
  const event = {
    id: crypto.randomUUID(),
    type,
    visitorId: visitorId(),
    occurredAt: now,
    page: { url: location.href, title: document.title, referrer: document.referrer },
    context: context(),
    data,
  };
  const url = `${config.ingest}/v1/events?key=${key}`;
  const body = JSON.stringify({ events: [event], sentAt: now });
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "text/plain;charset=UTF-8" },
      body,
      keepalive: true, // it outlives the page
    });
    const said = await answer.json().catch(() => null);
    const good = answer.status === 202 && !said?.rejected?.length;
    note(type, String(answer.status), good, { sent: event, answered: said });
    return good;
  } catch (error) {
    note(type, "no answer", false, { sent: event, error: String(error) });
    return false;
  }
}

export async function profile() {
  const visitor = encodeURIComponent(visitorId());
  const answer = await fetch(`${config.ingest}/v1/profile?key=${key}&visitorId=${visitor}`);
  return { status: answer.status, body: await answer.json().catch(() => null) };
}
