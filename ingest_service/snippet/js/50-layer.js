// The data layer: an array on the page whose entries describe it, with Persoo's keys. Its entries at
// load, and later ones, become identify, pageview and purchase.

// Keys of what a page displays, with their readers.
const DISPLAYED = {
  itemID: word,
  categoryID: word,
  category: word,
  hierarchy: words,
  hierarchyID: words,
  impressedProducts: words,
  query: (value) => word(value, 512),
  results: (value) => number(Array.isArray(value) ? value.length : value),
};
const WORDS = Object.keys(DISPLAYED).concat(
  "pageType basketItems basketTotal currency transaction login userId email loginHash".split(" "),
);
const IDENTIFY_AGAIN_MS = 86400000;
let layer = null;
let described = {}; // the description of the page so far

// Returns the known keys of an entry as plain data; one that throws when it is read is left out. Tag
// managers put entries of their own into the same array, which have none of these keys.
function readEntry(entry) {
  const found = {};
  WORDS.forEach((name) => {
    try {
      // Checked first: a layer may have very many entries, and each failure takes time.
      if (entry[name] !== undefined) found[name] = JSON.parse(JSON.stringify(entry[name]));
    } catch (_) {
      // absent, or no data
    }
  });
  return found;
}

// As Carillon reads amounts (ingest_service/parsing/normalise.py): one number, with text without
// digits around it. 1,234 and 1.234.567 are in thousands, 1.234 is a decimal. Other texts are no amounts.
const NEGATIVE = /[(−–-]\D*\d|\d\s*[−–-]/;
const AMOUNT = /^(?:\D*(?:[A-Za-z]\.|[^\d.,]))?([.,]?\d(?:[\d\s.,'’]*\d)?[.,]?)\D*$/;
const GROUPS = /^(?!\d+\.\d*$)[1-9]\d{0,2}([,.\s'’])(\d\d\d?\1)*\d{3}(?!\1|\d)/;

function number(value) {
  const text = word(value);
  const [, amount] = (!NEGATIVE.test(text) && AMOUNT.exec(text)) || "??";
  const found = Number(amount.replace(GROUPS, (all) => all.replace(/\D/g, "")).replace(",", "."));
  return found <= 1e12 ? found : undefined;
}

function word(value, length = 128) {
  const first = Array.isArray(value) ? value[0] : value;
  if (!/string|number/.test(typeof first)) return undefined;
  return String(first).trim().slice(0, length) || undefined;
}

// A list, or a text that Carillon splits: Persoo's plugin writes "1:12" and "['1','2']".
function words(value) {
  return Array.isArray(value) ? value.slice(0, 50).map((one) => word(one)) : word(value, 2000);
}

function currency() {
  return (/^[a-z]{3}$/i.exec(word(described.currency)) || [])[0];
}

// Items by id as Persoo has them, or a list; one bad price must not cost the whole event.
function basket(items) {
  if (!items || typeof items !== "object") return undefined;
  return Object.keys(items)
    .map((id) => {
      const line = Object(items[id]);
      const named = Array.isArray(items) ? line.itemID || line.item || line.id : id;
      return { itemID: word(named), quantity: number(line.quantity), price: number(line.price) };
    })
    .filter((line) => line.itemID)
    .slice(0, 200);
}

function readVisitor(entry) {
  if (!word(entry.login)) entry.login = entry.userId;
  const [person, code] = readPerson(entry);
  const isIdentified = person.login || person.email;
  if (code || (isIdentified && isNews(personFacts(person), IDENTIFY_AGAIN_MS))) reportPerson(person, code);
}

function readOrder(order) {
  const id = word(order.id);
  if (!id) return fail("data layer", "transaction without id");
  const facts = { ["order " + hash(id)]: true };
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

function reportPage(entry, isPage) {
  if (!mayAct()) return;
  readVisitor(entry);
  // On a thank-you page `basketItems` is the order, not a basket. Shops with one template for all pages
  // write `transaction: []` on the others.
  const isOrder = Object.values(Object(entry.transaction)).some(Boolean);
  const state = isOrder ? {} : entry;
  const view = {
    pageType: word(described.pageType),
    basketItems: basket(state.basketItems),
    basketTotal: number(state.basketTotal),
    currency: currency(),
  };
  Object.keys(isPage ? DISPLAYED : {}).forEach((name) => {
    view[name] = DISPLAYED[name](entry[name]);
  });
  // A basket without a page: it changed on a page that is reported already.
  if (isPage || view.basketItems) enqueue("pageview", view);
  if (isOrder) readOrder(entry.transaction);
}

function onPush(pushed) {
  const entry = readEntry(pushed);
  if (!Object.keys(entry).length) return;
  const isPage = "pageType" in entry; // a page of a single-page shop
  described = Object.assign(isPage ? { currency: described.currency } : described, entry);
  reportPage(entry, isPage);
}

function readLayer() {
  if (layer) return;
  layer = window[dataLayerName] = window[dataLayerName] || [];
  if (!Array.isArray(layer)) return enqueue("pageview");
  layer.forEach((entry) => Object.assign(described, readEntry(entry)));
  reportPage(described, true);
  const push = layer.push;
  layer.push = (...pushed) => {
    const result = push.apply(layer, pushed);
    pushed.forEach(guarded("data layer", onPush));
    return result;
  };
}

// Not before the page is complete: until then a tag manager may have made the array, the page may
// replace it, and the description of the page may be further down.
function startLayer() {
  listen(window, "pagehide", readLayer);
  whenParsed(guarded("data layer", readLayer));
}
