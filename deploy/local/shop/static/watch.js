// Listens to the snippet from its start, for the log that comes with the rest of the page.
(function () {
  const name = window.shopConfig.loader === "persoo" ? "persoo" : "carillon";
  window.shopSaw = [];
  window[name]("log", (entry) => {
    window.shopSaw.push(entry);
    window.dispatchEvent(new CustomEvent("snippet", { detail: entry }));
  });
})();
