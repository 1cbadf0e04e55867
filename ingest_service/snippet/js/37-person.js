// The person of the page, read as Carillon reads it. A placeholder that a template or a script writes for
// "no login" would make one person of all visitors: the list is Carillon's (shared/identity_values.py).

const NOBODY = new RegExp(config.nobody);

function isNobody(text) {
  return NOBODY.test(text.toLowerCase()) && ![].concat(config.allowedLogins).includes(text);
}

let named; // the page's person, for `check`

const SHAPES = { login: /^.{1,256}$/u, email: /^[^@\s]+@[^@\s]+$/ };

// The person, and a code if there is none. Texts lose blanks and quotes around them, as proofs of logins
// require, and are never cut: a cut one would be another person's. So would a number with decimals, or
// with more digits than JavaScript stores. Only a bad email is left out alone.
function readPerson(given) {
  const person = { loginHash: given.loginHash };
  const codes = {};
  Object.keys(SHAPES).forEach((name) => {
    const [first] = [].concat(given[name]);
    const text = (word(first, 999) || "").replace(/^(["'])(.*)\1$/, "$2").trim();
    const isBad = first === +first && !Number.isSafeInteger(first);
    if (isNobody(text)) codes[name] = "placeholder_" + name;
    else if (text && (isBad || !SHAPES[name].test(text))) codes[name] = "bad_" + name;
    else person[name] = text || undefined;
  });
  if (codes.email && person.login) fail("identify", { code: codes.email });
  if (person.login) named = person;
  return [person, codes.login || (!person.login && codes.email)];
}

// An email belongs to a login: another login's is news; the same one's isn't, on pages without login.
function personFacts({ login, email, loginHash }) {
  const who = visitorId();
  const now = login ? hash([who, login, loginHash]) : lastReported("login").is;
  return { login: now, email: email ? hash([who, now, email]) : lastReported("email").is };
}

function reportPerson(person, code, callback) {
  enqueue("identify", person, callback, personFacts(person), code);
  if (person.login && !code) wishSdk(person.login);
}
