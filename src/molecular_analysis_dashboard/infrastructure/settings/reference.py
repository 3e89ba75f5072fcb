"""The list of every variable, and its documentation as a table."""

from .model import Settings
from .variables import Group, Variable, variables_of

GROUPS: dict[str, type[Group]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
}

# Read outside the settings: by the command line, the build and the tests.
OTHER_VARIABLES = {
    "MAD_DATA_DIR": "Data folder of `mad up`.",
    "MAD_SERVER": "Address of the server that the `mad` command and the Python client talk to.",
    "MAD_TOKEN": "Bearer token that the `mad` command and the Python client send.",
    "MAD_BENCHMARK_DATA": "Folder of the benchmark sets for `make bench` and the large science tests.",
    "MAD_SKIP_FRONTEND": "Set to `1` to install the package without building the dashboard.",
}
_TEST_PREFIX = "MAD_TEST_"


def all_variables() -> tuple[Variable, ...]:
    """List every variable of the settings, by group."""
    return tuple(variable for name, group in GROUPS.items() for variable in variables_of(name, group))


def known_names() -> frozenset[str]:
    """Names that may stand in the environment, NAME_FILE of secrets included."""
    variables = all_variables()
    files = (f"{variable.name}_FILE" for variable in variables if variable.secret)
    return frozenset((*(variable.name for variable in variables), *files, *OTHER_VARIABLES))


def is_known(name: str) -> bool:
    """Whether a variable is a setting, is read elsewhere, or belongs to the test runs."""
    return name.startswith(_TEST_PREFIX) or name in known_names()


def reference_tables() -> str:
    """Write the reference of all variables as Markdown."""
    lines: list[str] = []
    for name, group in GROUPS.items():
        lines += [f"## {name}", "", (group.__doc__ or "").strip(), "", "| variable | default | meaning |"]
        lines += ["| --- | --- | --- |", *map(_row, variables_of(name, group)), ""]
    lines += ["## Read outside the settings", "", "| variable | meaning |", "| --- | --- |"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in OTHER_VARIABLES.items()]
    return "\n".join(lines) + "\n"


def _row(variable: Variable) -> str:
    secret = " Secret: may come as `" + variable.name + "_FILE`." if variable.secret else ""
    default = f"`{variable.default}`" if variable.default else "none"
    return f"| `{variable.name}` | {default} | {variable.description}{secret} |"
