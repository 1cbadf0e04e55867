// Who this browser is: a random first-party id, in a cookie and in localStorage, so that it
// survives the clearing of one of them. The cookie wins: it may be shared by subdomains.

const VISITOR = PREFIX + "visitor";
const COOKIE_SECONDS = 400 * 86400; // no browser keeps one longer
const UUID = /^[0-9a-f-]{36}$/i; // as far as we must know one: Carillon looks closer
let visitor = null;

// randomUUID is missing on plain http and in older browsers: this is the same by hand.
function uuid() {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16),
  );
}

function storedId() {
  return [readCookie(), read(VISITOR)].find((id) => UUID.test(id) && !isNobody(id));
}

// Read each time, because another tab may have begun anew.
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

// Consent is the site's: where another tab has taken it back, nothing is left of what was stored,
// and this one is silent until the other begins anew.
function mayAct() {
  return allowed && (!visitor || storedId());
}

function withdraw() {
  allowed = false;
  held = [];
  keysFrom(PREFIX).concat(WISH).forEach(remove);
  writeCookie("", 0);
  writeCookie("", 0, ""); // from before the app named a domain
  visitor = null;
}

// The first of these marks tells: most browsers claim to be Chrome and Safari too.
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

// unescape, since decodeURIComponent throws at what is cut off.
function decoded(text) {
  let found = text;
  for (let i = 0; i < 4; i++) found = unescape(found);
  return found;
}

function isSecret(name) {
  const apart = name.replace(/([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2 ");
  return apart.toLowerCase().split(/[^a-z]+/).some((one) => MASKED.includes(one));
}

// An address without its fragment, and of secrets and of persons' addresses only the names.
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
