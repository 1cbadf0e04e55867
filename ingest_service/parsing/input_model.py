"""The base of models for input from browsers, servers and OneSignal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from shared.models.moments import read_written

SenderTime = Annotated[datetime, BeforeValidator(read_written)]


class InputModel(BaseModel):
    """Base of input models; undeclared fields are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)
