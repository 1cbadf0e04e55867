// What is kept in the browser: localStorage, or memory where that is blocked or full.
// `allowed` is the visitor's consent: nothing is written or sent unless it is true.

const PREFIX = "carillon.";
const memory = {};
let allowed = config.requireConsent ? null : true; // null: nobody has said yet

function local() {
  try {
    return window.localStorage;
  } catch (_) {
    return null; // blocked: even looking at it throws
  }
}

function read(key) {
  let text = memory[key]; // newer than what is stored, where both are
  try {
    text = text || local().getItem(PREFIX + key);
  } catch (_) {
    // blocked: memory's
  }
  try {
    return text ? JSON.parse(text) : null;
  } catch (_) {
    return null; // somebody else's, or cut off
  }
}

function write(key, value) {
  if (allowed !== true) return;
  const text = JSON.stringify(value);
  try {
    local().setItem(PREFIX + key, text);
    delete memory[key];
  } catch (_) {
    memory[key] = text;
  }
}

function remove(key) {
  delete memory[key];
  try {
    local().removeItem(PREFIX + key);
  } catch (_) {
    // blocked: it was never there
  }
}

function keysFrom(start) {
  let keys = Object.keys(memory);
  try {
    const stored = Object.keys(local()).filter((key) => key.startsWith(PREFIX));
    keys = keys.concat(stored.map((key) => key.slice(PREFIX.length)));
  } catch (_) {
    // blocked: memory's only
  }
  return Array.from(new Set(keys))
    .filter((key) => key.startsWith(start))
    .sort();
}

function readCookie(name) {
  try {
    const found = document.cookie.match("(?:^|; )" + name + "=([^;]*)");
    return found ? found[1] : null;
  } catch (_) {
    return null; // a sandboxed frame: even looking throws
  }
}

function writeCookie(name, value, seconds) {
  const domain = config.cookieDomain ? "; domain=" + config.cookieDomain : "";
  const secure = location.protocol === "https:" ? "; secure" : "";
  try {
    document.cookie =
      name + "=" + value + "; path=/; max-age=" + seconds + "; samesite=lax" + domain + secure;
  } catch (_) {
    // blocked: localStorage has it too
  }
}
