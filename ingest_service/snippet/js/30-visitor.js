// Who this browser is: a random first-party id, in a cookie and in localStorage, so that it
// survives the clearing of one of them. The cookie wins: it may be shared by subdomains.

const COOKIE = "carillon_id";
const COOKIE_SECONDS = 400 * 86400; // no browser keeps one longer
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
let visitor = null;

function uuid() {
  const random = window.crypto;
  if (random && random.randomUUID) return random.randomUUID();
  // randomUUID is missing on plain http and in older browsers.
  const bytes = new Uint8Array(16);
  if (random && random.getRandomValues) random.getRandomValues(bytes);
  else bytes.forEach((_, i) => (bytes[i] = Math.random() * 256));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function visitorId() {
  if (visitor === null) {
    visitor = [readCookie(COOKIE), read("visitor")].find((id) => UUID.test(id)) || uuid();
    write("visitor", visitor);
    writeCookie(COOKIE, visitor, COOKIE_SECONDS);
  }
  return visitor;
}

// All that was ever stored, gone.
function forget() {
  keysFrom("").forEach(remove);
  if (readCookie(COOKIE) !== null) writeCookie(COOKIE, "", 0);
  visitor = null;
}

function browserName() {
  const agent = navigator.userAgent || "";
  const marks = [
    ["Edg", "Edge"],
    ["OPR/", "Opera"],
    ["SamsungBrowser/", "Samsung Internet"],
    ["Firefox/", "Firefox"],
    ["FxiOS/", "Firefox"],
    ["CriOS/", "Chrome"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
  ];
  const found = marks.find((mark) => agent.includes(mark[0]));
  return found ? found[1] : "other";
}

function context() {
  let timeZone;
  try {
    timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch (_) {
    // an old browser: the event goes without
  }
  const language = (navigator.language || "").slice(0, 35) || undefined;
  return { timeZone, language, browser: browserName(), sdk: "carillon/" + config.version };
}

function page() {
  const cut = (text, length) => String(text || "").slice(0, length) || undefined;
  return {
    url: cut(location.href, 8192),
    title: cut(document.title, 1024),
    referrer: cut(document.referrer, 8192),
  };
}
