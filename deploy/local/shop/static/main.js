// Wires the page: what it shows, what it listens to, what it tells Carillon.

import * as basket from "./basket.js";
import { carillon } from "./carillon.js";
import { showCards } from "./cards.js";
import { openLog } from "./log.js";
import { listenForCheckout, listenForLogin, showOrder, showPerson } from "./person.js";
import { startSubscription } from "./subscription.js";

const PROJECTED_MS = 1000;

function showBasket() {
  basket.showCount();
  const place = document.getElementById("basket");
  if (place) basket.showTable(place);
}

function showProfile() {
  carillon("profile", (found) => {
    document.getElementById("profile").textContent = JSON.stringify(found.db, null, 2);
  });
}

openLog();
carillon("visitor", (id) => (document.getElementById("visitor-id").textContent = id));
showPerson();
showBasket();
showOrder();
showCards();
listenForLogin();
listenForCheckout();
startSubscription();
showProfile();
document.addEventListener("basket", showBasket);
// Carillon knows an event a moment after it was sent.
window.addEventListener("snippet", ({ detail }) => {
  if (detail.what === "sent") setTimeout(showProfile, PROJECTED_MS);
});
document.getElementById("profile-refresh").addEventListener("click", showProfile);
document.addEventListener("click", (event) => {
  const id = event.target.dataset?.add;
  if (id) basket.change(id, 1);
});
document.getElementById("setup").addEventListener("change", (event) => event.currentTarget.submit());
