"""How a setting is declared, looked up and listed: one variable of the environment per field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

from pydantic import ByteSize, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from molecular_analysis_dashboard.infrastructure.redaction import redact_text

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[ByteSize, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1)]

_HINTS = {
    "bool_parsing": "must be true or false",
    "byte_size": "must be a number of bytes, such as 2147483648 or 2GiB",
    "byte_size_unit": "must be a number of bytes, such as 2147483648 or 2GiB",
}


class Group(BaseSettings):
    """A frozen group of settings; every field names its variable as validation alias."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is handed in: `load_settings` alone reads the environment."""
        return (init_settings,)


@dataclass(frozen=True)
class Variable:
    """One variable of the environment."""

    name: str
    group: str
    description: str
    default: str
    secret: bool


def variables_of(group_name: str, group: type[Group]) -> tuple[Variable, ...]:
    """List the variables of a group, in the order of its fields."""
    return tuple(
        Variable(
            name=str(field.validation_alias),
            group=group_name,
            description=str(field.description),
            default=_shown(field.default),
            secret=_is_secret(field),
        )
        for field in group.model_fields.values()
    )


def given_values(environ: Mapping[str, str], variables: Iterable[Variable]) -> tuple[dict[str, str], list[str]]:
    """Look the variables up, secrets also in the file that NAME_FILE names.

    An empty value counts as absent, because Compose hands unset variables on as empty ones.

    Returns
    -------
    tuple
        Texts by variable name, and problems, one line each.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for variable in variables:
        text = environ.get(variable.name)
        if text:
            values[variable.name] = text
        path = environ.get(f"{variable.name}_FILE") if variable.secret else None
        if not path:
            continue
        if text:
            problems.append(f"{variable.name} and {variable.name}_FILE are both set; set only one of them")
            continue
        try:
            values[variable.name] = _secret_in(Path(path))
        except ValueError as error:
            problems.append(f"{variable.name}_FILE={path}: {error}")
    return values, problems


def problems_in(error: ValidationError, variables: Iterable[Variable]) -> list[str]:
    """Say in one line each what is wrong with which variable and what is allowed, without showing secrets."""
    secret = {variable.name for variable in variables if variable.secret}
    lines = []
    for problem in error.errors(include_url=False):
        message = _HINTS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ").replace(
            "Input should", "must"
        )
        if not problem["loc"]:
            lines.append(message)
            continue
        name = str(problem["loc"][0])
        shown = name if name in secret else f"{name}={redact_text(str(problem['input']))}"
        lines.append(f"{shown}: {message}")
    return lines


def _secret_in(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError("the file is not UTF-8 text") from error
    if not text:
        raise ValueError("the file is empty")
    return text


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _shown(default: object) -> str:
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case _:
            return str(int(default)) if isinstance(default, int) else str(default)
