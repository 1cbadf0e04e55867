// What the shop keeps in the browser; where that is blocked, as long as the page lives.

const memory = {};

export const tab = () => sessionStorage;
const browser = () => localStorage;

export function read(key, otherwise = null, open = browser) {
  try {
    return JSON.parse(open().getItem(key)) ?? otherwise;
  } catch {
    return memory[key] ?? otherwise;
  }
}

export function write(key, value, open = browser) {
  memory[key] = value;
  try {
    if (value === null) open().removeItem(key);
    else open().setItem(key, JSON.stringify(value));
  } catch {
    // blocked
  }
}
