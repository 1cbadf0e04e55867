// As persoo.js: the page's loader has named the function and the data layer.

// Its stub has the key; the name in the loader's settings is only checked first.
const isLoader = guarded("loader", (name) => {
  const found = window[name];
  return typeof found === "function" && found.apikey === config.key;
});
const { persooName } = window.persooConfig || {};
const loader = [persooName].concat(Object.keys(window)).find(isLoader) || "persoo";
dataLayerName = (window[loader] || {}).dataLayerName || dataLayerName;
api.apikey = config.key; // as on the stub
install(loader);
// The loader hides the page until `finish` is called.
if (window.persooLoader) window.persooLoader.finish();
