"""Options that several commands take together, as one dataclass: typer itself knows only single options."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps

Command = Callable[..., None]


def grouped(command: Command) -> Command:
    """Give a command the options of every dataclass among its parameters, in the order of their fields.

    The command gets the dataclass, made of what was given. Each field is annotated as an option is, and its default
    is that of the option.
    """
    options: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command).parameters.values():
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            options += _options_of(parameter.annotation)
        else:
            options.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**given: object) -> None:
        for name, group in groups.items():
            given[name] = group(**{option.name: given.pop(option.name) for option in _options_of(group)})
        command(**given)

    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]  # what `inspect`, and so typer, reads
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


def _options_of(group: type) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(group)
    ]
