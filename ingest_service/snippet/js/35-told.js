// What has been told already, so that it isn't on every page. News are facts: {what: its value}, kept
// as short hashes, for nothing personal may lie in the page's storage. A fact counts as told from
// when its event is queued, and no longer once that is refused or lost.

const TOLD = OWN + "told";
const SEEN_FACTS = 24; // mostly orders: a thank-you page loaded again is not another purchase

function hash(value) {
  let found = 5381;
  for (const sign of JSON.stringify(value)) found = (found * 33 + sign.codePointAt()) >>> 0;
  return found.toString(36);
}

function lastTold(what) {
  return (read(TOLD) || {})[what] || {};
}

function isNews(facts, lasts) {
  return Object.keys(facts).some((what) => {
    const { is, at } = lastTold(what);
    // A clock that ran ahead is no reason to be silent until it is right.
    return facts[what] && (is !== facts[what] || !(Math.abs(Date.now() - at) < lasts));
  });
}

// Without a time: as never told.
function remember(facts, at) {
  if (!facts || !mayAct()) return;
  const told = Object.assign({}, read(TOLD));
  Object.keys(facts).forEach((what) => {
    delete told[what]; // the newest stand last
    if (at) told[what] = { is: facts[what], at };
  });
  const old = Object.keys(told).slice(0, -SEEN_FACTS);
  old.forEach((what) => delete told[what]);
  write(TOLD, told);
}
