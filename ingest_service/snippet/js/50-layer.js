// The data layer: an array on the page whose entries describe it, in Persoo's words. What lies in
// it at load, and what is pushed later, becomes identify, pageview and purchase.

const SEEN_ORDERS = 20; // a thank-you page loaded again is not another purchase
const IDENTIFY_AGAIN_MS = 86400000;
let described = {}; // what the layer has said of the page so far

function number(value) {
  let text = String(value === null || value === undefined ? "" : value).replace(/[^\d.,-]/g, "");
  // 1.234,50 and 1,234.50: the last sign is the decimal one; a lone comma is decimal too.
  if (text.lastIndexOf(",") > text.lastIndexOf(".")) text = text.replace(/\./g, "").replace(",", ".");
  else text = text.replace(/,/g, "");
  const found = text === "" ? NaN : Number(text);
  return found >= 0 ? found : undefined;
}

function word(value, length) {
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first !== "string" && typeof first !== "number") return undefined;
  return String(first).trim().slice(0, length || 128) || undefined;
}

function currency(value) {
  return /^[a-z]{3}$/i.test(value) ? value : undefined;
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

function goods(layer) {
  return {
    basketItems: basket(layer.basketItems),
    basketTotal: number(layer.basketTotal),
    currency: currency(layer.currency),
  };
}

// Seen before? `value` is kept as a short hash, for nothing personal may lie in the page's storage.
function isNews(key, value, lasts) {
  let hash = 5381;
  for (const letter of value) hash = (hash * 33 + letter.codePointAt(0)) % 4294967296;
  const last = read(key);
  if (last && last.hash === hash && Date.now() - last.at < lasts) return false;
  write(key, { hash, at: Date.now() });
  return true;
}

function readPerson(layer) {
  const login = word(layer.login, 256) || word(layer.userId, 256);
  const email = /^[^@\s]+@[^@\s]+$/.test(word(layer.email, 320)) ? word(layer.email, 320) : undefined;
  if (!login && !email) return;
  if (isNews("person", JSON.stringify([login, email]), IDENTIFY_AGAIN_MS)) {
    identify({ login, email, loginHash: layer.loginHash });
  }
}

function readOrder(layer) {
  const id = word(layer.transaction.id);
  if (!id) return fail("data layer", "a transaction without an id");
  const seen = read("orders") || [];
  if (seen.includes(id)) return;
  write("orders", seen.concat(id).slice(-SEEN_ORDERS));
  const { revenue, shipping, tax } = layer.transaction;
  enqueue("purchase", {
    id,
    items: basket(layer.basketItems) || [],
    revenue: number(revenue),
    shipping: number(shipping),
    tax: number(tax),
    currency: currency(layer.currency),
  });
}

function readLayer(layer, isPage) {
  readPerson(layer);
  // On a thank-you page `basketItems` is what was bought, and no basket any more.
  const inBasket = layer.transaction ? {} : goods(layer);
  if (isPage) {
    const view = {
      pageType: word(layer.pageType),
      itemID: word(layer.itemID),
      categoryID: word(layer.categoryID),
      query: word(layer.query, 512),
    };
    enqueue("pageview", Object.assign(view, inBasket));
  } else if (inBasket.basketItems) {
    // The basket changed on a page already told: its state, without viewing the item again.
    enqueue("pageview", Object.assign({ pageType: word(described.pageType) }, inBasket));
  }
  if (layer.transaction && typeof layer.transaction === "object") readOrder(layer);
}

// Tag managers put their own things into the same array, gtag even `arguments`.
function isEntry(entry) {
  return Boolean(entry) && typeof entry === "object" && !("length" in entry);
}

function onPush(entry) {
  if (!isEntry(entry)) return;
  const isPage = "pageType" in entry; // a page of a single-page shop
  const kept = isPage ? { currency: described.currency } : described;
  described = Object.assign({}, kept, entry);
  // A basket that is pushed alone still needs the page's currency.
  readLayer(Object.assign({ currency: described.currency }, entry), isPage);
}

function startLayer() {
  const layer = (window[dataLayerName] = window[dataLayerName] || []);
  if (!Array.isArray(layer)) return enqueue("pageview");
  described = Object.assign({}, ...layer.filter(isEntry));
  readLayer(described, true);
  const push = layer.push;
  layer.push = function () {
    const result = push.apply(layer, arguments);
    guarded("data layer", (entries) => entries.forEach(guarded("data layer", onPush)))(
      Array.from(arguments),
    );
    return result;
  };
}

// A page whose script comes before its data layer is read once it is complete.
function whenDescribed(work) {
  const name = window[dataLayerName];
  if (document.readyState !== "loading" || (Array.isArray(name) && name.some(isEntry))) return work();
  listen(document, "DOMContentLoaded", work);
}
