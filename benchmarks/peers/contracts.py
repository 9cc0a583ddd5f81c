"""The contracts that the peers share."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import BaseModel, Field


class CreateClient(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    phone: str | None = None


class Client(CreateClient):
    id: uuid.UUID
