// Facts that were reported already, so that not every page reports them: {fact: value}, stored as short
// hashes, since the page's storage may have no personal data. A fact counts as reported from when its
// event is queued, until that is rejected or lost.

const REPORTED = OWN + "reported";
const SEEN_FACTS = 24; // mostly orders: a thank-you page loaded again is not another purchase

function hash(value) {
  let found = 5381;
  for (const sign of JSON.stringify(value)) found = (found * 33 + sign.codePointAt()) >>> 0;
  return found.toString(36);
}

function lastReported(what) {
  return (read(REPORTED) || {})[what] || {};
}

function isNews(facts, lasts) {
  return Object.keys(facts).some((what) => {
    const { is, at } = lastReported(what);
    // A clock that ran ahead is no reason to be silent until it is right.
    return facts[what] && (is !== facts[what] || !(Math.abs(Date.now() - at) < lasts));
  });
}

// Without a time the facts count as never reported.
function remember(facts, at) {
  if (!facts || !mayAct()) return;
  const stored = Object.assign({}, read(REPORTED));
  Object.keys(facts).forEach((what) => {
    delete stored[what]; // the newest are last
    if (at) stored[what] = { is: facts[what], at };
  });
  const old = Object.keys(stored).slice(0, -SEEN_FACTS);
  old.forEach((what) => delete stored[what]);
  write(REPORTED, stored);
}
