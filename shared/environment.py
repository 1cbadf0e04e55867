"""Settings from the environment: an unknown name or a bad value refuses the start, in one sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsError

from shared.errors import Rejected
from shared.models.sentences import sentence_of
from shared.nearest import nearest
from shared.settings import Settings

SETTING_PREFIX = "CARILLON_"
# Read by the launcher, the demo shop, the tests and providers: each checks its own, and hands on all.
OTHERS = ("CARILLON_LOCAL__", "CARILLON_SHOP__", "CARILLON_TEST_", "CARILLON_PROVIDERS__")
TOOLS = frozenset({"CARILLON_CLOCK_OFFSET_FILE", "CARILLON_KAFKA_JARS"})
# Kubernetes gives every pod the addresses of services; one may be called `carillon-…`.
SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$")
LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")

S = TypeVar("S", bound=BaseSettings)


def load_settings() -> Settings:
    """Return the services' settings. Raises Rejected: a sentence a line, each naming a variable."""
    check_names(os.environ, Settings)
    return read_settings(Settings)


def check_names(environment: Mapping[str, str], *models: type[BaseSettings]) -> None:
    """Refuse names that begin with `CARILLON_` and that nothing reads. Raises Rejected."""
    known = {name for model in models for name in names_of(model)}
    unknown = [
        name
        for name, value in environment.items()
        if name.upper().startswith(SETTING_PREFIX) and not _is_known(name.upper(), value, known)
    ]
    if unknown:
        raise Rejected("\n".join(_unknown(name, known) for name in sorted(unknown)))


def read_settings(model: type[S]) -> S:
    """Return the model as the environment says. Raises Rejected, without any value of a secret."""
    try:
        return model()
    except ValidationError as exc:
        errors = exc.errors(include_input=False, include_url=False)
        sentences = [
            _sentence(model, e["loc"], e["type"], sentence_of(e["type"], e["msg"], e.get("ctx")))
            for e in errors
        ]
    except SettingsError as exc:
        named = re.search(r'field "(\w+)"', str(exc))
        group = f"{_prefix(model)}{named[1].upper() if named else ''}"
        sentences = [f"{group} is not JSON; set its values one by one, as {group}__…"]
    raise Rejected("\n".join(sentences))


def names_of(model: type[BaseSettings]) -> Iterator[str]:
    """Yield every variable that the model reads. A group's own variable holds its values as JSON."""
    for name, field in model.model_fields.items():
        variable = f"{_prefix(model)}{name.upper()}"
        yield variable
        for inner in _fields_of(field):
            yield f"{variable}__{inner.upper()}"


def _prefix(model: type[BaseSettings]) -> str:
    return model.model_config.get("env_prefix") or ""


def _fields_of(field: FieldInfo) -> dict[str, FieldInfo]:
    group = field.annotation
    is_group = isinstance(group, type) and issubclass(group, BaseModel)
    return group.model_fields if is_group else {}  # type: ignore[union-attr]


def _is_known(name: str, value: str, known: set[str]) -> bool:
    if name in known or name in TOOLS:
        return True
    others = [prefix for prefix in OTHERS if not any(one.startswith(prefix) for one in known)]
    if name.startswith(tuple(others)):
        return True
    return SERVICE_LINK.search(name) is not None or LINK_VALUE.match(value) is not None


def _unknown(name: str, known: Iterable[str]) -> str:
    bare = {one.removeprefix(SETTING_PREFIX): one for one in known}
    meant = nearest(name.upper().removeprefix(SETTING_PREFIX), bare)
    question = "" if meant is None else f"; did you mean {bare[meant]}?"
    return f"{name} is no setting of Carillon{question}"


def _sentence(model: type[BaseSettings], path: Iterable[Any], kind: str, message: str) -> str:
    fields, variable, field = dict(model.model_fields), _prefix(model), None
    names = [str(step) for step in path]
    for depth, name in enumerate(names):
        if name not in fields:
            break  # an item of a list
        field, variable = fields[name], variable + ("__" if depth else "") + name.upper()
        fields = dict(_fields_of(field))
    if kind == "extra_forbidden":
        return _unknown(f"{variable}__{names[-1].upper()}", names_of(model))
    if field is None:
        return message
    example = _example(field)
    return f"{variable} {message}" + (f"; for example {variable}={example}" if example else "")


def _example(field: FieldInfo) -> str:
    if field.examples:
        return str(field.examples[0])
    default = field.default
    is_public = isinstance(default, str | int | float) and not isinstance(default, SecretStr)
    return str(default).lower() if isinstance(default, bool) else str(default) if is_public else ""
