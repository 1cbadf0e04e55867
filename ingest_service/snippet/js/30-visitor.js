// The browser's id: a random first-party one, in a cookie and in localStorage, so that it
// survives the clearing of one of them. The cookie wins: subdomains may share it.

const VISITOR = PREFIX + "visitor";
const COOKIE_SECONDS = 400 * 86400; // no browser keeps one longer
const UUID = /^[0-9a-f-]{36}$/i; // sufficient here: Carillon checks it exactly
let visitor = null;

// A replacement of randomUUID, which is missing on plain http and in older browsers.
function uuid() {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16),
  );
}

function storedId() {
  return [readCookie(), read(VISITOR)].find((id) => UUID.test(id) && !isNobody(id));
}

// Read each time, because another tab may have a new id.
function visitorId() {
  const id = storedId() || uuid();
  if (id !== visitor) {
    visitor = null;
    write(VISITOR, id);
    writeCookie(id, COOKIE_SECONDS);
    visitor = id;
  }
  return id;
}

// Consent is the site's: if another tab has withdrawn it, nothing stored is left, and this tab is silent
// until the other one gives it again.
function mayAct() {
  return allowed && (!visitor || storedId());
}

function withdraw() {
  allowed = false;
  waitingCalls = [];
  keysFrom(PREFIX).concat(WISH).forEach(remove);
  writeCookie("", 0);
  writeCookie("", 0, ""); // from before the app named a domain
  visitor = null;
}

// The first of these marks decides: most browsers claim to be Chrome and Safari too.
const BROWSERS = {
  Edg: "Edge",
  OPR: "Opera",
  SamsungBrowser: "Samsung Internet",
  Firefox: "Firefox",
  FxiOS: "Firefox",
  CriOS: "Chrome",
  Chrome: "Chrome",
  Safari: "Safari",
};

const CONTEXT = {
  language: word(navigator.language, 35),
  browser: BROWSERS[Object.keys(BROWSERS).find((one) => navigator.userAgent.includes(one))] || "other",
  sdk: "carillon/" + config.version,
  timeZone: guarded("time zone", () => Intl.DateTimeFormat().resolvedOptions().timeZone)(),
};

const MASKED = String(config.masked).split(" ");

// unescape, since decodeURIComponent throws at cut texts.
function decoded(text) {
  let found = text;
  for (let i = 0; i < 4; i++) found = unescape(found);
  return found;
}

function isSecret(name) {
  const spaced = name.replace(/([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2 ");
  return spaced.toLowerCase().split(/[^a-z]+/).some((one) => MASKED.includes(one));
}

// Returns an address without its fragment; of secrets and e-mail addresses only the names stay.
function maskedUrl(url) {
  return url.replace(/#.*/, "").replace(/([?&;][^?&;=]*=)([^?&;]+)/g, (all, name, value) => {
    const inner = decoded(value);
    const names = [decoded(name)].concat(inner.match(/[?&;#][^?&;#=]*=./g) || []);
    return inner.includes("@") || names.some((one) => isSecret(one.split("=")[0])) ? name + "…" : all;
  });
}

function page() {
  return {
    url: word(maskedUrl(location.href), 8192),
    title: word(document.title, 1024),
    referrer: word(maskedUrl(document.referrer), 8192),
  };
}
