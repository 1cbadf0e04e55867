"""Campaign texts: Jinja2 in its sandbox, missing variables are errors."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.errors import Rejected

_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
PROFILE = "profile"


def check_template(source: str) -> str:
    """The source, if it is a template. Raises ValueError with the line."""
    try:
        _environment.parse(source)
    except TemplateSyntaxError as exc:
        raise ValueError(f"template, line {exc.lineno}: {exc.message}") from exc
    return source


@lru_cache(maxsize=4_096)
def _compile(source: str) -> Template:
    return _environment.from_string(source)


@lru_cache(maxsize=4_096)
def variables_of(source: str) -> frozenset[str]:
    """The names a template asks for: without `profile` it reads the same for everybody."""
    return frozenset(meta.find_undeclared_variables(_environment.parse(source)))


def render(source: str, context: dict[str, object]) -> str:
    """Raises Rejected (bad_variables), naming what failed but no value."""
    try:
        return _compile(source).render(context)
    except Exception as exc:  # a template can raise anything its variables' types can
        detail = exc.message if isinstance(exc, TemplateSyntaxError) else type(exc).__name__
        raise Rejected(f"template: {detail}", code="bad_variables") from exc
