// Login, logout and checkout.

import * as basket from "./basket.js";
import { send } from "./events.js";
import { read, write } from "./storage.js";

const layer = window.dataLayer[0];

export function showPerson() {
  const user = read("shop.user");
  document.getElementById("who").textContent = user ? user.login : "Log in";
  const form = document.getElementById("login");
  if (!form) return;
  form.hidden = Boolean(user);
  document.getElementById("logged-in").hidden = !user;
  document.getElementById("logged-in-as").textContent = user?.login ?? "";
}

export function listenForLogin() {
  document.getElementById("login")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    const user = { login: fields.get("login").trim() };
    if (fields.get("email")) user.email = fields.get("email").trim();
    write("shop.user", user);
    showPerson();
    await send("identify", user);
  });
  document.getElementById("logout")?.addEventListener("click", async () => {
    write("shop.user", null);
    showPerson();
    await send("logout");
  });
}

export function listenForCheckout() {
  const form = document.getElementById("checkout");
  if (!form) return;
  form.email.value = read("shop.user")?.email ?? "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!basket.contents().length) return;
    write("shop.order", order(form.email.value), sessionStorage);
    basket.empty();
    location.assign("/thank-you");
  });
}

function order(email) {
  const terms = JSON.parse(document.getElementById("basket").dataset.terms);
  const shipping = basket.shippingOf(terms);
  const tax = Math.round((basket.total() * terms.taxPercent * 100) / (100 + terms.taxPercent)) / 100;
  const revenue = Math.round((basket.total() + shipping) * 100) / 100;
  const id = `BR-${Date.now().toString(36).toUpperCase()}`;
  const transaction = { id, revenue, shipping, tax };
  return { transaction, email, items: basket.basketItems(), sent: false };
}

// The purchase is told on the thank-you page, once however often it is loaded again.
export async function finishOrder() {
  const found = read("shop.order", null, sessionStorage);
  const place = document.getElementById("order");
  if (!found || !place) return;
  const { transaction } = found;
  place.textContent = `Order ${transaction.id}, ${basket.money(transaction.revenue)}.`;
  if (found.sent) return;
  write("shop.order", { ...found, sent: true }, sessionStorage);
  await send("purchase", {
    transaction,
    basketItems: found.items,
    basketTotal: transaction.revenue - transaction.shipping,
    currency: layer.currency,
    email: found.email,
  });
}
