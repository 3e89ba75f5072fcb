"""The table at the end of the deployment tests: what was shown, and the figures."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """Rows in the order in which they were found."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, found: str) -> None:
        self.rows.append((what, found))

    def lines(self) -> list[str]:
        width = max((len(what) for what, _ in self.rows), default=0)
        return [f"{what:<{width}}  {found}" for what, found in self.rows]
