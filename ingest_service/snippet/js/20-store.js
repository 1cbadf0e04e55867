// Storage in the browser: localStorage, or memory if that is blocked or full.
// `allowed` is the visitor's consent: nothing is written or sent unless it is true.

const PREFIX = "carillon.";
const COOKIE = "carillon_id"; // of the site: all apps' alike
const OWN = PREFIX + config.key + "."; // another app's snippet may run on the same site
const WISH = OWN + "wish"; // the login, or "" for a logout, that OneSignal's SDK is still to get
const memory = {};
let allowed = config.requireConsent ? null : true; // null: not decided yet

// The wish names a person: it ends with its tab.
function storeOf(key) {
  return key === WISH ? window.sessionStorage : window.localStorage;
}

// The text under a key; if there are both, the one in memory is newer.
function kept(key) {
  try {
    return memory[key] || storeOf(key).getItem(key) || "";
  } catch (_) {
    return ""; // blocked: even reading it throws
  }
}

function read(key) {
  try {
    return JSON.parse(kept(key));
  } catch (_) {
    return null; // absent, another script's, or cut off
  }
}

function write(key, value) {
  if (!allowed) return;
  const text = JSON.stringify(value);
  try {
    storeOf(key).setItem(key, text);
    delete memory[key];
  } catch (_) {
    memory[key] = text;
  }
}

function remove(key) {
  delete memory[key];
  try {
    storeOf(key).removeItem(key);
  } catch (_) {
    // blocked: it was never there
  }
}

function keysFrom(start) {
  let stored = [];
  try {
    stored = Object.keys(window.localStorage);
  } catch (_) {
    // blocked: memory's only
  }
  return [...new Set(stored.concat(Object.keys(memory)))]
    .filter((key) => key.startsWith(start))
    .sort();
}

function readCookie() {
  try {
    return document.cookie.match("(?:^|; )" + COOKIE + "=([^;]*)")[1];
  } catch (_) {
    return null; // absent, or a sandboxed frame, where even reading throws
  }
}

function writeCookie(value, seconds, host = config.cookieDomain) {
  const domain = host ? "; domain=" + host : "";
  const secure = location.protocol === "https:" ? "; secure" : "";
  try {
    document.cookie =
      COOKIE + "=" + value + "; path=/; max-age=" + seconds + "; samesite=lax" + domain + secure;
  } catch (_) {
    // blocked: localStorage has it too
  }
}
