// The page describes itself in window.dataLayer, before anything else of ours runs.
(function () {
  "use strict";
  const read = (storage, key) => {
    try {
      return JSON.parse(storage.getItem(key));
    } catch {
      return null;
    }
  };
  const layer = JSON.parse(document.getElementById("page-layer").textContent);
  const user = read(localStorage, "shop.user");
  if (user) {
    layer.userId = layer.login = user.login;
    if (user.email) layer.email = user.email;
  }
  const basket = read(localStorage, "shop.basket") || {};
  const products = window.shopConfig.products;
  layer.basketItems = {};
  layer.basketTotal = 0;
  for (const [id, quantity] of Object.entries(basket)) {
    if (!products[id]) continue;
    layer.basketItems[id] = { quantity, price: products[id].price };
    layer.basketTotal += quantity * products[id].price;
  }
  layer.basketTotal = Math.round(layer.basketTotal * 100) / 100;
  const order = read(sessionStorage, "shop.order");
  if (location.pathname === "/thank-you" && order) {
    layer.transaction = order.transaction;
    layer.email = order.email;
  }
  window.dataLayer = window.dataLayer || [];
  window.dataLayer.push(layer);
})();
