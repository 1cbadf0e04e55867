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

function textOf(error) {
  try {
    const { message, code } = Object(error);
    return String(message || code || error);
  } catch (_) {
    return "unreadable"; // what was thrown throws again when it is looked at
  }
}

function fail(where, error) {
  const entry = { what: "error", where, message: textOf(error), code: Object(error).code };
  tell("error", entry);
  tell("log", entry);
}

function guarded(where, work) {
  const failed = (error) => fail(where, error);
  return (...given) => {
    try {
      const result = work(...given);
      // Handled here, so that no rejection is ever "unhandled"; whoever waits for it still sees it.
      Promise.resolve(result).catch(failed);
      return result;
    } catch (error) {
      failed(error);
    }
  };
}

function listen(target, event, work) {
  target.addEventListener(event, guarded(event, work));
}

function later(ms, work) {
  return setTimeout(guarded("timer", work), ms);
}

// Once all of the page's own markup is there.
function whenParsed(work) {
  if (document.readyState !== "loading") return work();
  listen(document, "DOMContentLoaded", work);
}
