"""The base of models for input from browsers, servers and OneSignal."""

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
    """Base of input models; undeclared fields are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)
