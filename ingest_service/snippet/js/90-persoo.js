// As persoo.js: the page's loader has named the function and the data layer.

// Its stub carries the key; what the loader's settings say is only looked at first.
const isLoader = guarded("loader", (name) => {
  const found = window[name];
  return typeof found === "function" && found.apikey === config.key;
});
const { persooName } = window.persooConfig || {};
const loader = [persooName].concat(Object.keys(window)).find(isLoader) || "persoo";
dataLayerName = (window[loader] || {}).dataLayerName || dataLayerName;
api.apikey = config.key; // as on the stub
install(loader);
// The loader hides the page until it is told that there is nothing more to wait for.
if (window.persooLoader) window.persooLoader.finish();
