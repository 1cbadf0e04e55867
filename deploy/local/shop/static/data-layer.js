// The page describes itself in window.dataLayer, before anything else of ours runs.
(function () {
  "use strict";
  const read = (open, key) => {
    try {
      return JSON.parse(open().getItem(key));
    } catch {
      return null; // blocked: even looking at the storage throws
    }
  };
  const stored = (key) => read(() => localStorage, key);
  const layer = JSON.parse(document.getElementById("page-layer").textContent);
  const user = stored("shop.user");
  if (user) {
    layer.userId = layer.login = user.login;
    if (user.email) layer.email = user.email;
    // Persoo's pages know no proof.
    if (user.loginHash && window.shopConfig.loader === "carillon") layer.loginHash = user.loginHash;
  }
  const basket = stored("shop.basket") || {};
  const products = window.shopConfig.products;
  layer.basketItems = {};
  layer.basketTotal = 0;
  for (const [id, quantity] of Object.entries(basket)) {
    if (!products[id]) continue;
    layer.basketItems[id] = { quantity, price: products[id].price };
    layer.basketTotal += quantity * products[id].price;
  }
  layer.basketTotal = Math.round(layer.basketTotal * 100) / 100;
  const order = read(() => sessionStorage, "shop.order");
  if (location.pathname === "/thank-you" && order) {
    layer.transaction = order.transaction;
    layer.basketItems = order.items; // what was bought
    layer.email = order.email;
  }
  window.dataLayer = window.dataLayer || [];
  window.dataLayer.push(layer);
})();
