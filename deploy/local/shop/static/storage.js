// What the shop keeps in the browser.

export function read(key, otherwise = null, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function write(key, value, storage = localStorage) {
  if (value === null) storage.removeItem(key);
  else storage.setItem(key, JSON.stringify(value));
}

// One browser's first-party id: a cookie of this origin, for a year from the last visit.
export function visitorId() {
  const found = document.cookie.match(/(?:^|; )shop_visitor=([0-9a-f-]{36})/);
  const id = found ? found[1] : crypto.randomUUID();
  document.cookie = `shop_visitor=${id}; path=/; max-age=31536000; samesite=lax`;
  return id;
}
