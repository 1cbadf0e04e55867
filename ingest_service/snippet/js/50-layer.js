// The data layer: an array on the page whose entries describe it, in Persoo's words. What lies in
// it at load, and what is pushed later, becomes identify, pageview and purchase.

const WORDS = (
  "pageType itemID categoryID query basketItems basketTotal currency transaction " +
  "login userId email loginHash"
).split(" ");
const IDENTIFY_AGAIN_MS = 86400000;
let layer = null;
let described = {}; // what the layer has said of the page so far

// What an entry says in words of ours, as plain data: one that throws when it is read is left out.
// Tag managers put their own things into the same array; in those there is nothing for us.
function readEntry(entry) {
  const found = {};
  WORDS.forEach((word) => {
    try {
      found[word] = JSON.parse(JSON.stringify(entry[word]));
    } catch (_) {
      // not there, or no data
    }
  });
  return found;
}

function number(value) {
  let found = value;
  if (typeof value !== "number") {
    let text = (/-?\d[\d\s.,'’]*/.exec(word(value)) || [""])[0].replace(/[\s'’]/g, "");
    // 1,234 and 1.234.567 are in thousands; else the last sign is the decimal one.
    const isWhole = /^([1-9]\d{0,2}(,\d{3})+|\d{1,3}(\.\d{3}){2,})$/.test(text);
    text = text.replace(isWhole ? /[.,]/g : /[.,](?=.*[.,])/g, "").replace(",", ".");
    found = text ? Number(text) : NaN;
  }
  return found >= 0 && found <= 1e12 ? found : undefined;
}

function word(value, length) {
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first !== "string" && typeof first !== "number") return undefined;
  return String(first).trim().slice(0, length || 128) || undefined;
}

function currency() {
  return /^[a-z]{3}$/i.test(described.currency) ? described.currency : undefined;
}

// Items by id as Persoo has them, or a list; one bad price must not cost the whole event.
function basket(items) {
  if (!items || typeof items !== "object") return undefined;
  const lines = Array.isArray(items)
    ? items.map((line) => [word(line && (line.itemID || line.item || line.id)), line])
    : Object.keys(items).map((id) => [word(id), items[id]]);
  return lines
    .filter((line) => line[0] && line[1] && typeof line[1] === "object")
    .slice(0, 200)
    .map(([itemID, line]) => ({
      itemID,
      quantity: number(line.quantity),
      price: number(line.price),
    }));
}

function readPerson(entry) {
  const login = word(entry.login, 256) || word(entry.userId, 256);
  const email = /^[^@\s]+@[^@\s]+$/.test(word(entry.email, 320)) ? word(entry.email, 320) : undefined;
  const person = { login, email, loginHash: entry.loginHash };
  const isKnown = login || email;
  if (isKnown && isNews(personFacts(person), IDENTIFY_AGAIN_MS)) identify(person);
}

function readOrder(order) {
  const id = word(order.id);
  if (!id) return fail("data layer", "a transaction without an id");
  const facts = { ["order " + hash(id)]: "told" };
  if (!isNews(facts, Infinity)) return;
  const purchase = {
    id,
    items: basket(described.basketItems) || [],
    revenue: number(order.revenue),
    shipping: number(order.shipping),
    tax: number(order.tax),
    currency: currency(),
  };
  enqueue("purchase", purchase, null, facts);
}

function tellPage(entry, isPage) {
  if (!mayAct()) return;
  readPerson(entry);
  const view = { pageType: word(described.pageType) };
  // On a thank-you page `basketItems` is what was bought, and no basket any more.
  const order = entry.transaction;
  const items = order ? undefined : basket(entry.basketItems);
  if (isPage) {
    view.itemID = word(entry.itemID);
    view.categoryID = word(entry.categoryID);
    view.query = word(entry.query, 512);
  }
  if (!order) {
    view.basketItems = items;
    view.basketTotal = number(entry.basketTotal);
    view.currency = currency();
  }
  // A basket without a page: it changed on one that is told already.
  if (isPage || items) enqueue("pageview", view);
  if (order && typeof order === "object") readOrder(order);
}

function onPush(pushed) {
  const entry = readEntry(pushed);
  if (!Object.keys(entry).length) return;
  const isPage = "pageType" in entry; // a page of a single-page shop
  described = Object.assign(isPage ? { currency: described.currency } : described, entry);
  tellPage(entry, isPage);
}

function readLayer() {
  const found = (window[dataLayerName] = window[dataLayerName] || []);
  if (found === layer) return;
  layer = found;
  if (!Array.isArray(found)) return enqueue("pageview");
  described = Object.assign({}, ...found.map(readEntry));
  const push = found.push;
  found.push = (...pushed) => {
    const result = push.apply(found, pushed);
    pushed.forEach(guarded("data layer", onPush));
    return result;
  };
  tellPage(described, true);
}

// A page whose script comes before its description is read once it is complete; some pages
// put another array in the first one's place until then.
function startLayer() {
  const found = window[dataLayerName];
  if (Array.isArray(found) && found.some((entry) => "pageType" in readEntry(entry))) readLayer();
  whenParsed(guarded("data layer", readLayer));
}
