// No error in here may reach the page: every entry point is guarded.

const listeners = { error: [], log: [] };

function notify(kind, entry) {
  listeners[kind].forEach((listener) => {
    try {
      listener(entry);
    } catch (_) {
      // the page's own listener failed, and would fail again with this error
    }
  });
}

function textOf(error) {
  try {
    const { message, code } = Object(error);
    return String(message || code || error);
  } catch (_) {
    return "unreadable"; // the thrown value throws again when it is read
  }
}

function fail(where, error) {
  const entry = { what: "error", where, message: textOf(error), code: Object(error).code };
  notify("error", entry);
  notify("log", entry);
}

function guarded(where, work) {
  const failed = (error) => fail(where, error);
  return (...given) => {
    try {
      const result = work(...given);
      // Handled here, so that no rejection is ever "unhandled"; the caller still gets it.
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

// Runs the work once the page's own markup is complete.
function whenParsed(work) {
  if (document.readyState !== "loading") return work();
  listen(document, "DOMContentLoaded", work);
}
