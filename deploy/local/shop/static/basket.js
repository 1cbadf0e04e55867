// The basket: item id → quantity, in the browser; each change is an event.

import { send } from "./carillon.js";
import { read, write } from "./storage.js";

const KEY = "shop.basket";
const { products } = window.shopConfig;
const layer = window.dataLayer[0];

export const money = (amount) => `€ ${amount.toFixed(2)}`;

export function contents() {
  const items = Object.entries(read(KEY, {})).filter(([id]) => products[id]);
  return items.map(([id, quantity]) => ({ id, quantity, ...products[id] }));
}

export function total() {
  return Math.round(contents().reduce((sum, i) => sum + i.quantity * i.price, 0) * 100) / 100;
}

export function basketItems() {
  return Object.fromEntries(contents().map(({ id, quantity, price }) => [id, { quantity, price }]));
}

export function empty() {
  write(KEY, null);
}

export function change(id, by) {
  const basket = read(KEY, {});
  const quantity = Math.max(0, (basket[id] ?? 0) + by);
  if (quantity) basket[id] = quantity;
  else delete basket[id];
  write(KEY, basket);
  describe();
  document.dispatchEvent(new Event("basket"));
  return send(by > 0 ? "addToBasket" : "removeFromBasket", {
    itemID: id,
    quantity: Math.abs(by),
    price: products[id].price,
    pageType: layer.pageType,
    categoryID: products[id].category,
    currency: layer.currency,
  });
}

// The data layer says what the basket holds now.
function describe() {
  layer.basketItems = basketItems();
  layer.basketTotal = total();
}

export function showCount() {
  const count = contents().reduce((sum, item) => sum + item.quantity, 0);
  document.getElementById("basket-count").textContent = String(count);
}

export function showTable(place) {
  const terms = JSON.parse(place.dataset.terms);
  const items = contents();
  place.replaceChildren();
  document.getElementById("basket-empty")?.toggleAttribute("hidden", items.length > 0);
  document.getElementById("basket-next")?.toggleAttribute("hidden", items.length === 0);
  if (!items.length) return;
  const table = document.createElement("table");
  for (const item of items) table.append(row(item, "fixed" in place.dataset));
  const shipping = shippingOf(terms);
  table.append(sum("Delivery", shipping ? money(shipping) : "free"));
  table.append(sum("Total", money(total() + shipping)));
  place.append(table);
}

export function shippingOf(terms) {
  return total() >= terms.freeFrom ? 0 : terms.shipping;
}

function row(item, fixed) {
  const line = document.createElement("tr");
  const link = document.createElement("a");
  link.href = `/product/${item.id}`;
  link.textContent = item.name;
  const amount = document.createElement("td");
  amount.className = "amount";
  if (!fixed) amount.append(button("−", `One ${item.name} less`, () => change(item.id, -1)));
  amount.append(` ${item.quantity} `);
  if (!fixed) amount.append(button("+", `One ${item.name} more`, () => change(item.id, 1)));
  line.append(cell(link), amount, cell(money(item.price * item.quantity), "price"));
  return line;
}

function sum(label, value) {
  const line = document.createElement("tr");
  line.className = "sum";
  line.append(cell(label), cell(""), cell(value, "price"));
  return line;
}

function cell(content, name = "") {
  const td = document.createElement("td");
  td.className = name;
  td.append(content);
  return td;
}

function button(sign, label, act) {
  const element = document.createElement("button");
  element.className = "small";
  element.textContent = sign;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}
