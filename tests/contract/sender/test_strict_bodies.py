"""Tests of what people write to the ops API.

Unknown keys are refused by their path, bodies are bounded, any content type is read.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest

from sender_service.intake.request import parse_request
from sender_service.ops.bodies import MAX_OPS_BODY_BYTES
from tests.contract.sender.conftest import Api, a_campaign, a_trigger

CAMPAIGN = "/v1/apps/demo/campaigns/welcome"
TEXTS = {"headings": {"en": "Hi"}, "contents": {"en": "Come"}, "url": "https://shop.example/"}
ONE_SIGNAL = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_x"}


def _app(**more: Any) -> dict[str, Any]:
    return {"name": "Demo", "oneSignal": ONE_SIGNAL, **more}


def _variant(**more: Any) -> dict[str, Any]:
    return a_campaign(variants=[{"id": "a", **TEXTS, **more}])


WRITTEN: list[tuple[str, str, dict[str, Any], str, str | None]] = [
    ("PUT", "/v1/apps/demo", _app(loginhash={}), "body.loginhash", "loginHash"),
    ("PUT", "/v1/apps/demo", _app(loginHash={"requird": True}), "body.loginHash.requird", "required"),
    ("PUT", "/v1/apps/demo", _app(keys=[{"id": "a", "kind": "write", "keys": "x"}]),
     "body.keys.0.keys", "key"),
    ("PUT", "/v1/apps/demo", _app(snippet={"workerpath": "/x"}), "body.snippet.workerpath", "workerPath"),
    ("PUT", "/v1/apps/demo", _app(cap={"count": 1, "days": 1, "day": 2}), "body.cap.day", "days"),
    ("PUT", "/v1/apps/demo", {**_app(), "oneSignal": {**ONE_SIGNAL, "apiKey": "x"}},
     "body.oneSignal.apiKey", None),
    ("PUT", CAMPAIGN, a_campaign(polcy={"quietHours": {}}), "body.polcy", "policy"),
    ("PUT", CAMPAIGN, a_campaign(hold_out=0.5), "body.hold_out", None),
    ("PUT", CAMPAIGN, a_campaign(policy={"hold_out": 0.5}), "body.policy.hold_out", "holdout"),
    ("PUT", CAMPAIGN, a_campaign(policy={"quietHour": {}}), "body.policy.quietHour", "quietHours"),
    ("PUT", CAMPAIGN, a_campaign(policy={"quietHours": {"from": "22:00", "to": "08:00", "till": 1}}),
     "body.policy.quietHours.till", None),
    ("PUT", CAMPAIGN, _variant(image_url="https://x.example/"), "body.variants.0.image_url", None),
    ("PUT", CAMPAIGN, _variant(buttons=[{"id": "x", "text": "X", "ulr": "https://x.example/"}]),
     "body.variants.0.buttons.0.ulr", "url"),
    ("POST", "/v1/sends", a_trigger(sendat="2030-01-01T00:00:00Z"), "sendat", "sendAt"),
    ("POST", "/v1/sends", a_trigger(weather="fine"), "weather", None),
    ("POST", "/v1/sends/preview", a_trigger(campain="x"), "campain", "campaign"),
    ("POST", "/v1/tokens", {"name": "x", "role": "read", "apps": "all", "app": "second"},
     "body.app", "apps"),
    ("POST", "/v1/people/search", {"app": "demo", "logn": "x", "login": "x"}, "body.logn", "login"),
    ("POST", f"{CAMPAIGN}/test", {"player": str(uuid.uuid4()), "variable": {}}, "body.variable",
     "variables"),
    ("POST", "/v1/dead-letters/replay", {"ids": [str(uuid.uuid4())], "id": "x"}, "body.id", "ids"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "field", "meant"), WRITTEN)
async def test_b6_n1_f7_unknown_keys_are_refused_by_path(
    shop: Api, method: str, path: str, body: dict[str, Any], field: str, meant: str | None
) -> None:
    answer = await shop.call(method, path, json=body)
    assert answer.status_code == 422, answer.text
    (found,) = [e for e in answer.json()["errors"] if e["field"] == field]
    assert found["code"] == "unknown_key"
    if meant is not None:
        assert f"did you mean `{meant}`?" in found["message"]
    assert (await shop.call("GET", f"/v1/sends/{body.get('id', 'x')}")).status_code == 404


async def test_n1_lines_of_a_list_too(shop: Api) -> None:
    head = {"id": str(uuid.uuid4()), "app": "demo", "campaign": "welcome"}
    for lines, field in (
        ([{**head, "sendat": "x"}, {"login": "a"}], "lines.1.sendat"),
        ([head, {"login": "a"}, {"login": "b", "variable": {}}], "lines.3.variable"),
    ):
        for path in ("/v1/sends", "/v1/sends/preview"):
            answer = await shop.call(
                "POST", path, content=b"\n".join(map(orjson.dumps, lines)),
                headers={"Content-Type": "application/x-ndjson"},
            )  # fmt: skip
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("path", "field", "meant"),
    [("/v1/dead-letters?topik=x", "query.topik", "topic"), ("/v1/audit?sinse=x", "query.sinse", "since"),
     ("/v1/apps?x=1", "query.x", None), (f"{CAMPAIGN}/versions?limits=1", "query.limits", "limit")],
)  # fmt: skip
async def test_n1_unknown_query_parameters_are_refused(
    shop: Api, path: str, field: str, meant: str | None
) -> None:
    answer = await shop.call("GET", path)
    (found,) = answer.json()["errors"]
    assert (answer.status_code, found["field"]) == (422, field)
    assert meant is None or f"`{meant}`" in found["message"]


async def test_f7_trigger_from_kafka_is_taken_with_a_warning(shop: Api) -> None:
    body = a_trigger(
        source="crm", recipients=[{"login": "a", "email": "x"}, {"login": "b", "email": "y"}]
    )
    del body["audience"]
    assert await shop.sender.intake().accept([parse_request(orjson.dumps(body))]) == [None]
    account = await shop.ok("GET", f"/v1/sends/{body['id']}")
    assert account["state"] != "refused"
    codes = {warning["field"]: warning["code"] for warning in account["warnings"]}
    assert codes == {"source": "unknown_key", "recipients.0.email": "unknown_key"}
    plain = {key: value for key, value in body.items() if key != "source"}
    assert await shop.sender.intake().accept([parse_request(orjson.dumps(plain))]) == [
        None
    ]  # the same


@pytest.mark.parametrize(
    ("more", "named"),
    [({"sendat": "2030-01-01T00:00:00Z"}, "sendat: is unknown; did you mean `sendAt`?"),
     ({"prority": "transactional"}, "prority"), ({"audience": {"all": True, "al": 1}}, "audience.al")],
)  # fmt: skip
async def test_f7_trigger_from_kafka_with_a_slip_is_refused(
    shop: Api, more: dict[str, Any], named: str
) -> None:
    body = a_trigger(**more)
    assert await shop.sender.intake().accept([parse_request(orjson.dumps(body))]) == [None]
    account = await shop.ok("GET", f"/v1/sends/{body['id']}")
    assert account["state"] == "refused" and named in account["error"]


async def test_b6_stored_documents_stay_readable(shop: Api) -> None:
    # A newer version of ours may have written more.
    for name in ("apps", "campaigns"):
        new = {"$set": {"later": 1, "policy.later": 1, "oneSignal.later": 1}}
        await shop.sender.context.database[name].update_many({}, new)
    assert (await shop.call("GET", "/v1/apps/demo")).status_code == 200
    assert (await shop.call("GET", CAMPAIGN)).status_code == 200
    assert (await shop.call("POST", "/v1/sends", json=a_trigger())).status_code == 202


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_n17_curls_default_content_type_is_taken(api: Api, kind: str) -> None:
    body = orjson.dumps(api.an_app())
    headers = {"Content-Type": kind} if kind else {}
    answer = await api.call("PUT", "/v1/apps/demo", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    answer = await api.call("PUT", CAMPAIGN, content=orjson.dumps(a_campaign()), headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a2_bodies_are_bounded(shop: Api) -> None:
    huge = b" " * (MAX_OPS_BODY_BYTES + 1)
    for method, path in (("PUT", "/v1/apps/demo"), ("PUT", CAMPAIGN), ("POST", "/v1/tokens"),
                         ("POST", "/v1/people/search"), ("POST", "/v1/dead-letters/replay"),
                         ("DELETE", "/v1/tokens/x"), ("GET", "/v1/apps")):  # fmt: skip
        answer = await shop.call(method, path, content=huge)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), path

    async def pieces() -> Any:
        for _ in range(20):
            yield b" " * 65_536

    for path in ("/v1/apps/demo", CAMPAIGN):
        answer = await shop.call("PUT", path, content=pieces())
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), path


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
async def test_a2_deep_bodies_are_refused(shop: Api, depth: int) -> None:
    for nest in (b"[" * depth + b"]" * depth, b'{"data":' * depth + b"1" + b"}" * depth):
        for method, path in (("PUT", "/v1/apps/demo"), ("PUT", CAMPAIGN), ("POST", "/v1/sends"),
                             ("POST", "/v1/sends/preview"), ("POST", "/v1/people/search")):  # fmt: skip
            answer = await shop.call(method, path, content=nest)
            assert answer.status_code == 422, (path, answer.text[:200])


async def test_a2_packed_bodies_are_no_json(shop: Api) -> None:
    # None are taken: what is packed stays packed, so there is no bomb.
    answer = await shop.call(
        "PUT", CAMPAIGN, content=b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_json")


async def test_findings_in_an_answer_are_bounded(shop: Api) -> None:
    many = {f"unknown{i}": 1 for i in range(5_000)}
    for method, path, body in (
        ("PUT", "/v1/apps/demo", _app(**many)),
        ("PUT", CAMPAIGN, a_campaign(variants=[{"id": "a", **TEXTS, "headings": many}])),
        ("POST", "/v1/dead-letters/replay", {"ids": ["no"] * 90, **many}),
        ("POST", "/v1/tokens", many),
    ):
        answer = await shop.call(method, path, json=body)
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) <= 100 and len(answer.content) < 32_000
        assert "findings more" in answer.json()["message"], path
    for path in ("/v1/sends", "/v1/sends/preview"):
        answer = await shop.call("POST", path, json=a_trigger(**many))
        assert answer.status_code == 422 and len(answer.content) < 32_000


REPEATED = [
    ("PUT", "/v1/apps/demo", b'{"name": "a", "name": "b"}', "name"),
    ("POST", "/v1/sends", b'{"id": "x", "audience": {"logins": ["eva"]}, "audience": {"all": true}}',
     "audience"),
    ("POST", "/v1/sends/preview", b'{"app": "demo", "audience": {"all": true, "all": false}}', "all"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "named"), REPEATED)
async def test_n1_a_key_that_stands_twice_is_refused(
    api: Api, method: str, path: str, body: bytes, named: str
) -> None:
    """Parsers keep the last one without a word: an audience of one became everybody."""
    answer = await api.call(method, path, content=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "repeated_key"
    assert answer.json()["errors"][0]["field"] == named
