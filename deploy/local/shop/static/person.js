// Login, logout and checkout.

import * as basket from "./basket.js";
import { carillon } from "./carillon.js";
import { read, tab, write } from "./storage.js";

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
    if (window.shopConfig.loader === "carillon") user.loginHash = await proofOf(user.login);
    write("shop.user", user);
    showPerson();
    carillon("identify", user);
  });
  document.getElementById("logout")?.addEventListener("click", () => {
    write("shop.user", null);
    showPerson();
    carillon("logout");
  });
}

// The shop's server knows the secret; without an answer the login is only a claim.
async function proofOf(login) {
  try {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ login });
    const answer = await fetch("/login/proof", { method: "POST", headers, body });
    return (await answer.json()).loginHash;
  } catch {
    return undefined;
  }
}

export function listenForCheckout() {
  const form = document.getElementById("checkout");
  if (!form) return;
  form.email.value = read("shop.user")?.email ?? "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!basket.contents().length) return;
    write("shop.order", order(form.email.value), tab);
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
  return { transaction: { id, revenue, shipping, tax }, email, items: basket.basketItems() };
}

// The data layer reports the purchase; here it is only displayed.
export function showOrder() {
  const found = read("shop.order", null, tab);
  const place = document.getElementById("order");
  if (!found || !place) return;
  const { id, revenue } = found.transaction;
  place.textContent = `Order ${id}, ${basket.money(revenue)}.`;
}
