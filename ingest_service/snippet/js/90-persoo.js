// As persoo.js: the page's loader has named the function and the data layer.

function loaderName() {
  const settings = window.persooConfig;
  if (settings && settings.apikey === config.key && settings.persooName) return settings.persooName;
  // The loader's settings have another name: its stub carries the key.
  const isStub = guarded("loader", (name) => {
    const found = window[name];
    return typeof found === "function" && found.l && found.apikey === config.key;
  });
  return Object.keys(window).find(isStub) || "persoo";
}

const loader = loaderName();
dataLayerName = (window[loader] && window[loader].dataLayerName) || dataLayerName;
install(loader);
// The loader hides the page until it is told that there is nothing more to wait for.
if (window.persooLoader && window.persooLoader.finish) window.persooLoader.finish();
