// Nothing that goes wrong in here may reach the page: every entry point is guarded.

const listeners = { error: [], log: [] };

function tell(kind, entry) {
  listeners[kind].forEach((listener) => {
    try {
      listener(entry);
    } catch (_) {
      // the page's own listener failed, and telling it so would fail again
    }
  });
}

function fail(where, error) {
  const entry = { what: "error", where, message: String((error && error.message) || error) };
  tell("error", entry);
  tell("log", entry);
}

function guarded(where, work) {
  return function () {
    try {
      const result = work.apply(this, arguments);
      // Handled here, so that no rejection is ever "unhandled"; whoever waits for it still sees it.
      if (result && typeof result.catch === "function") result.catch((error) => fail(where, error));
      return result;
    } catch (error) {
      fail(where, error);
    }
  };
}

function listen(target, event, work) {
  if (target.addEventListener) target.addEventListener(event, guarded(event, work));
}

function later(ms, work) {
  return setTimeout(guarded("timer", work), ms);
}
