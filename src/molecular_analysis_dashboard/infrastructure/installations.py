"""Which installation an operator's command works on: the one of the environment, or the embedded one of a folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from molecular_analysis_dashboard.domain.errors import Conflict, NotFound
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout, default_data_dir
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import read_stack_state
from molecular_analysis_dashboard.infrastructure.embedded_stack import StackOptions, stack_environment
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.infrastructure.tcp_ports import DEFAULT_PORT

_DEPLOYMENT_VARIABLES = ("DATABASE_URL", "POSTGRES_HOST", "REDIS_URL", "REDIS_HOST", "CELERY_BROKER_URL")


def names_deployment(environ: Mapping[str, str]) -> bool:
    """Whether the environment names servers of a deployment, or files with their addresses."""
    return any(environ.get(name) or environ.get(f"{name}_FILE") for name in _DEPLOYMENT_VARIABLES)


@dataclass(frozen=True)
class Installation:
    """An installation whose database answers, or should.

    Attributes
    ----------
    name : str
        The data folder, or the address of the database without its password.
    embedded : bool
        Whether `mad up` runs it.
    """

    name: str
    settings: Settings
    embedded: bool


@contextmanager
def chosen_installation(
    data_dir: Path | None, environ: Mapping[str, str], *, create: bool = False, alone: bool = False
) -> Iterator[Installation]:
    """The embedded installation of a data folder if one is named, else that of the environment, else the user's own.

    The servers of an embedded installation that does not run are started for the length of the block.

    Parameters
    ----------
    create : bool
        Make an embedded installation that is not there yet.
    alone : bool
        Refuse an embedded installation that runs.

    Raises
    ------
    NotFound
        ``no_installation``.
    Conflict
        ``stack_running``.
    """
    if data_dir is None and names_deployment(environ):
        settings = load_settings(environ)
        yield Installation(settings.database.redacted_url, settings, embedded=False)
        return
    folder = (data_dir or default_data_dir()).expanduser().absolute()
    state = read_stack_state(folder)
    options = StackOptions(folder, DEFAULT_PORT, slots=1)
    if state is not None:
        if alone:
            raise Conflict(f"The installation in {folder} runs. Stop it first with mad down.", code="stack_running")
        yield Installation(str(folder), load_settings(stack_environment(options, state.addresses, environ)), True)
        return
    if not create and not DataLayout(folder).postgres.exists():
        raise NotFound(
            f"There is no installation in {folder}. Name its folder with --data-dir, or set DATABASE_URL and the other "
            "settings of the deployment.",
            code="no_installation",
            data_dir=str(folder),
        )
    with EmbeddedServers(folder) as servers:
        yield Installation(str(folder), load_settings(stack_environment(options, servers.addresses, environ)), True)
