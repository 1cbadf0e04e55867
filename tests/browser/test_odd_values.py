"""The tables of tests/odd_values through the real snippet; tests/unit/ingest has ingest's own rules."""

from __future__ import annotations

from typing import Any

from tests.browser import sdks
from tests.browser.site import KEY, Site
from tests.browser.visitor import Visitor
from tests.odd_values.amounts import AMOUNTS
from tests.odd_values.identity import EMAILS, LOGINS, VISITORS

# Each entry of the data layer, and for each what was sent or what `onError` got.
PUSH_EACH = """([values, name]) => values.map((value) => {
  carillon('logout'); // so that all of it is news
  let said;
  window.said = (entry) => (said = entry);
  dataLayer.push({[name]: value});
  return said === undefined ? null : said;
})"""
LISTEN = """<script>
carillon('onError', (entry) => window.said(entry.code));
const plain = (data) => JSON.parse(JSON.stringify(data));
carillon('log', (entry) => entry.what === 'event' && window.said(plain(entry.event.data)));
</script>"""


async def started(site: Site, visitor: Visitor, head: str = "") -> None:
    await visitor.go(site.page("/", f"<script>window.said = () => 0</script>{head}{LISTEN}"))
    await site.until("pageview")


async def pushed(visitor: Visitor, name: str, values: list[Any]) -> list[Any]:
    found: list[Any] = await visitor.page.evaluate(PUSH_EACH, [values, name])
    return found


async def test_f24_amounts_as_ingest_reads_them(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    values = [{"1": {"price": given}} for given, _ in AMOUNTS]
    entries = await pushed(visitor, "basketItems", values)
    read = [entry["basketItems"][0].get("price") for entry in entries]
    assert [(given, got) for (given, _), got in zip(AMOUNTS, read, strict=True)] == AMOUNTS


async def test_f01_logins_as_ingest_reads_them(site: Site, visitor: Visitor) -> None:
    # Those that are nobody's are never queued: the log shows each event that is.
    await started(site, visitor)
    entries = await pushed(visitor, "login", [given for given, _ in LOGINS])
    read = [entry["login"] if isinstance(entry, dict) else entry for entry in entries]
    assert [(given, got) for (given, _), got in zip(LOGINS, read, strict=True)] == LOGINS


async def test_f01_emails_as_ingest_reads_them(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    entries = await pushed(visitor, "email", [given for given, _ in EMAILS])
    read = [entry["email"] if isinstance(entry, dict) else entry for entry in entries]
    assert [(given, got) for (given, _), got in zip(EMAILS, read, strict=True)] == EMAILS


async def test_f01_a_bad_email_costs_itself(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    result = await visitor.page.evaluate("""() => {
        const all = [];
        window.said = (entry) => void all.push(entry);
        carillon('identify', {login: 'eva', email: '{{ email }}'});
        return all;
    }""")
    assert result == ["placeholder_email", {"login": "eva"}]


async def test_f01_every_way_to_identify(site: Site, visitor: Visitor) -> None:
    # Neither Carillon nor OneSignal's SDK hears of nobody; a caller learns why.
    await started(site, visitor, f"<script>{sdks.V16}</script>")
    results = await visitor.page.evaluate("""async () => {
        const said = (...call) => new Promise((done) => carillon(...call, done));
        return [
            await said('identify', {login: 'undefined'}),
            await said('send', 'identify', {login: '{{ id }}', email: 'a@shop.example'}),
            await said('identify', {login: NaN}),
            await said('identify', {email: 'null'}),
            await said('identify', {login: 12345678901234567890}),
        ];
    }""")
    assert [(one["ok"], one["code"]) for one in results] == [
        (False, "placeholder_login"),
        (False, "placeholder_login"),
        (False, "placeholder_login"),
        (False, "placeholder_email"),
        (False, "bad_login"),
    ]
    await visitor.page.evaluate("dataLayer.push({userId: '[object Object]'})")
    await visitor.carillon("send", "barrier")
    await site.until("barrier")
    assert "identify" not in site.types()
    assert [call for call in await visitor.page.evaluate("sdk.calls") if call[0] == "login"] == []


async def test_f01_an_app_may_allow_a_real_one(site: Site, visitor: Visitor) -> None:
    site.configure(allowedLogins=["Guest"])
    await started(site, visitor)
    assert await pushed(visitor, "login", ["Guest", "guest", "null"]) == [
        {"login": "Guest"},
        "placeholder_login",
        "placeholder_login",
    ]


async def test_f01_a_placeholder_is_no_visitor(site: Site, visitor: Visitor) -> None:
    for given, is_one in VISITORS:
        cookie = {"name": "carillon_id", "value": given, "url": site.origin}
        await visitor.context.add_cookies([cookie])  # type: ignore[list-item]
        await visitor.go(site.page("/"))
        assert (await visitor.id() == given) is is_one
        await visitor.page.evaluate("localStorage.clear()")


async def test_f02_times_of_a_page_rise(site: Site, visitor: Visitor) -> None:
    # Each event is later than the one before, and none leaves before its own time has come.
    await visitor.page.add_init_script("""
        const send = window.fetch;
        window.sentAt = [];
        window.fetch = (url, options) => {
            if (options) sentAt.push([JSON.parse(options.body), Date.now()]);
            return send(url, options);
        };
    """)
    await started(site, visitor)
    await visitor.page.evaluate("for (let n = 0; n < 150; n++) carillon('send', 'many', {n})")
    await site.until(*["many"] * 150)
    times = [event["occurredAt"] for event in site.events]
    assert times == sorted(set(times))
    assert [event["data"]["n"] for event in site.of("many")] == list(range(150))
    ahead = await visitor.page.evaluate("""sentAt.map(([body, now]) =>
        Math.max(...body.events.map((event) => Date.parse(event.occurredAt))) - now)""")
    assert max(ahead) <= 0


async def test_f02_a_clock_set_back_holds_nothing_up(site: Site, visitor: Visitor) -> None:
    await started(site, visitor)
    await visitor.page.evaluate("""
        const now = Date.now;
        Date.now = () => now() - 3600000;
        carillon('send', 'first');
        carillon('send', 'second');
    """)
    await site.until("first", "second")
    times = [event["occurredAt"] for event in site.events]
    assert times == sorted(set(times))
    keys: list[str] = await visitor.page.evaluate("Object.keys(localStorage)")
    assert KEY in "".join(keys)
