"""Shapes that every resource shares."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_PAGE = 200
# Names go into listings, file names of downloads and titles of SDF records: one printable line.
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
# Numbers and flags are taken as such only: a text "5" or a true in place of a number is a client's mistake.
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Point = Annotated[tuple[Real, Real, Real], Field(description="x, y, z in Å.")]


class Body(BaseModel):
    """A request's body; unknown fields are refused, so that a misspelt option never passes for its default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=False)


class View(BaseModel):
    """A part of an answer, read from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True)


class ErrorDetail(BaseModel):
    """One error: a stable code for programs and a sentence for people."""

    code: str = Field(examples=["receptor_not_found"])
    message: str = Field(examples=["There is no receptor 0190163d-8694-739b-aea5-966c26f8ad91."])
    details: dict[str, Any]
    request_id: str = Field(description="Names this request in the server's log.")


class ErrorEnvelope(BaseModel):
    """Every error has this body."""

    error: ErrorDetail


class Problem(View):
    """Why a job, a receptor or a library failed."""

    code: str
    message: str
    details: dict[str, Any] = {}
