// The script's origin, to which events are sent.

// Not Array.from, which Prototype.js and MooTools replace.
function list(given) {
  return [].slice.call(Object(given));
}

const SOURCE = /\/(v1\/snippet|[^/]+\/[^/]+\/persoo)\.js([?#].*)?$/;
// An element that a page's visitor could add (<img name="currentScript">) takes such names too.
const SCRIPT = [document.currentScript]
  .concat(list(document.scripts))
  .find(
    (one) => one instanceof HTMLScriptElement && (one.dataset.ingest || SOURCE.test(one.src)),
  );
const BASE = SCRIPT
  ? (SCRIPT.dataset.ingest || SCRIPT.src.replace(SOURCE, "")).replace(/\/+$/, "")
  : "";
const KEY = "?key=" + encodeURIComponent(config.key);
const STARTED = "carillon:" + config.key; // on window: the page's one instance for this key
let dataLayerName = (SCRIPT && SCRIPT.dataset.layer) || "dataLayer";
