// A loader that keeps to Persoo's contract; what differs from a shop of theirs is one host name.
const persooConfig = {
  apikey: window.shopConfig.writeKey,
  persooName: "persoo",
  dataLayerName: "dataLayer",
  settings_tolerance: 2000,
  scriptsHostname: `${window.shopConfig.ingest}/`,
};
window.persooConfig = persooConfig;

window.persooLoader = {
  finish: () => document.documentElement.classList.remove("waiting"),
  load(file) {
    const script = document.createElement("script");
    script.onerror = window.persooLoader.finish;
    script.src = `${persooConfig.scriptsHostname}${persooConfig.apikey}/p/${file}`;
    document.head.append(script);
  },
};

(function () {
  const stub = function () {
    (stub.q = stub.q || []).push([].slice.call(arguments));
  };
  stub.l = Date.now();
  stub.apikey = persooConfig.apikey;
  stub.dataLayerName = persooConfig.dataLayerName;
  window[persooConfig.persooName] = stub;
  document.documentElement.classList.add("waiting");
  setTimeout(window.persooLoader.finish, persooConfig.settings_tolerance);
  window.persooLoader.load("actions.js");
  window.persooLoader.load("persoo.js");
})();
