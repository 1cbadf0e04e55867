// Wires the page: what it shows, what it listens to, what it tells Carillon.

import * as basket from "./basket.js";
import { profile, send } from "./events.js";
import { openLog } from "./log.js";
import { finishOrder, listenForCheckout, listenForLogin, showPerson } from "./person.js";
import { startPushes } from "./pushes.js";
import { visitorId } from "./storage.js";

const layer = window.dataLayer[0];

function showBasket() {
  basket.showCount();
  const place = document.getElementById("basket");
  if (place) basket.showTable(place);
}

async function showProfile() {
  const place = document.getElementById("profile");
  try {
    const { status, body } = await profile();
    place.textContent = status === 200 ? JSON.stringify(body, null, 2) : `${status} ${body?.message ?? ""}`;
  } catch {
    place.textContent = "Ingest does not answer.";
  }
}

document.getElementById("visitor-id").textContent = visitorId();
openLog();
showPerson();
showBasket();
listenForLogin();
listenForCheckout();
startPushes();
document.addEventListener("basket", showBasket);
document.getElementById("profile-refresh").addEventListener("click", showProfile);
document.addEventListener("click", (event) => {
  const id = event.target.dataset?.add;
  if (id) basket.change(id, 1);
});

await send("pageview", layer);
await finishOrder();
await showProfile();
