"""Bodies of the sandbox's own endpoints: an unknown key is refused with the nearest known one."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from deploy.local.sandbox.answers import read_object
from deploy.local.sandbox.errors import refuse
from deploy.local.sandbox.models import Json

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body], *, default: Json | None = None) -> Body:
    """Return the body as the model. Raises Refusal, naming each key that it doesn't know."""
    given = await read_object(request, default=default)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        unknown = [
            _sentence(model, [str(step) for step in item["loc"]])
            for item in error.errors(include_url=False, include_input=False)
            if item["type"] == "extra_forbidden"
        ]
        if not unknown:
            raise
        raise refuse(400, *unknown) from None


def _sentence(model: type[BaseModel], path: Sequence[str]) -> str:
    near = get_close_matches(path[-1], _known(model, path[:-1]), n=1)
    return f"{'.'.join(path)} is not known" + (f"; did you mean {near[0]}?" if near else "")


def _known(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for step in path:
        field = model.model_fields[step]
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next(one for one in inner if isinstance(one, type) and issubclass(one, BaseModel))
    return list(model.model_fields)
