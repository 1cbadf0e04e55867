// Where this script came from is where events go.

const SOURCE = /\/(v1\/snippet|[^/]+\/[^/]+\/persoo)\.js([?#].*)?$/;
const SCRIPT =
  document.currentScript || Array.from(document.scripts).find((script) => SOURCE.test(script.src));
const BASE = SCRIPT ? SCRIPT.dataset.ingest || SCRIPT.src.replace(SOURCE, "") : "";
const EVENTS_URL = BASE + "/v1/events?key=" + encodeURIComponent(config.key);
const STARTED = "carillon:" + config.key; // on window: the page's one instance for this key
let dataLayerName = (SCRIPT && SCRIPT.dataset.layer) || "dataLayer";
