// What is kept in the browser: localStorage, or memory where that is blocked or full.
// `allowed` is the visitor's consent: nothing is written or sent unless it is true.

const PREFIX = "carillon.";
const COOKIE = "carillon_id"; // of the site: all apps' alike
const OWN = PREFIX + config.key + "."; // another app's snippet may run on the same site
const WISH = OWN + "wish"; // the login, or "" for none, that OneSignal's SDK has yet to be told
const memory = {};
let allowed = config.requireConsent ? null : true; // null: nobody has said yet

// The wish names a person: it goes with its tab.
function storeOf(key) {
  return key === WISH ? window.sessionStorage : window.localStorage;
}

// The text under a key; in memory it is newer, where there are both.
function kept(key) {
  try {
    return memory[key] || storeOf(key).getItem(key) || "";
  } catch (_) {
    return ""; // blocked: even looking at it throws
  }
}

function read(key) {
  try {
    return JSON.parse(kept(key));
  } catch (_) {
    return null; // nothing, somebody else's, or cut off
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
    return null; // not there, or a sandboxed frame, where even looking throws
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
