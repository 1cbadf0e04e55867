// Where this script came from is where events go.

const SOURCE = /\/(v1\/snippet|[^/]+\/[^/]+\/persoo)\.js([?#].*)?$/;
// An element that a page's visitor could write (<img name="currentScript">) takes such names too.
const SCRIPT = [document.currentScript]
  .concat(Array.from(document.scripts))
  .find(
    (one) => one instanceof HTMLScriptElement && (one.dataset.ingest || SOURCE.test(one.src)),
  );
const BASE = SCRIPT ? SCRIPT.dataset.ingest || SCRIPT.src.replace(SOURCE, "") : "";
const KEY = "?key=" + encodeURIComponent(config.key);
const STARTED = "carillon:" + config.key; // on window: the page's one instance for this key
let dataLayerName = (SCRIPT && SCRIPT.dataset.layer) || "dataLayer";
