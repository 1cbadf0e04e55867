"""The base of the models that read what browsers, servers and OneSignal send."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from shared.models.moments import read_written

SenderTime = Annotated[datetime, BeforeValidator(read_written)]


class InputModel(BaseModel):
    """Names as on the wire; what isn't declared is dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)
