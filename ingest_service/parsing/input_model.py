"""The base of the models that read what browsers, servers and OneSignal send."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError


def _moment(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("datetime_type", "must be a date and time")
    return value


SenderTime = Annotated[datetime, BeforeValidator(_moment)]


class InputModel(BaseModel):
    """Names as on the wire; what isn't declared is dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)
