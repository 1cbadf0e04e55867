// Who somebody is, read as Carillon reads it. What a template or a script writes where nobody is would
// make one person of all who come: the list is Carillon's (shared/identity_values.py).

const NOBODY = new RegExp(config.nobody);

function isNobody(text) {
  return NOBODY.test(text.toLowerCase()) && ![].concat(config.allowedLogins).includes(text);
}

let named; // who this page has said it is, for `check`

const SHAPES = { login: /^.{1,256}$/u, email: /^[^@\s]+@[^@\s]+$/ };

// The person, and a code where there is none. Texts are taken without blanks and quotes around them, as
// logins are proven, and never cut: they would be somebody else's. So would a number with decimals, or
// with more digits than JavaScript keeps. A bad email costs itself.
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

// An email is told of a login: another one's is news, and the same one's isn't on pages without it.
function personFacts({ login, email, loginHash }) {
  const who = visitorId();
  const now = login ? hash([who, login, loginHash]) : lastTold("login").is;
  return { login: now, email: email ? hash([who, now, email]) : lastTold("email").is };
}

function tellPerson(person, code, callback) {
  enqueue("identify", person, callback, personFacts(person), code);
  if (person.login && !code) wishSdk(person.login);
}
