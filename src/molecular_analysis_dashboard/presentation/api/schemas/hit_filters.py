"""Filters of a hit list, the same in a query and in the body of a request."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from molecular_analysis_dashboard.domain.analyses import AlertCatalogue
from molecular_analysis_dashboard.domain.interaction_filters import MAX_CONDITIONS, interaction_filter
from molecular_analysis_dashboard.domain.results import HitFilter, HitOrder
from molecular_analysis_dashboard.presentation.api.schemas.common import MAX_PAGE

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Count = Annotated[int, Field(ge=0, le=10_000)]


class HitFilters(BaseModel):
    """Which hits; everything that is given must hold. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    max_score_kcal_mol: float | None = None
    min_ligand_efficiency: float | None = None
    min_molecular_weight: float | None = None
    max_molecular_weight: float | None = None
    name_contains: Text | None = None
    analysed: bool | None = Field(default=None, description="Whether the best pose is analysed.")
    valid: bool | None = Field(default=None, description="Whether the best pose passes every check, or fails one.")
    max_strain_kcal_mol: float | None = None
    min_logp: float | None = None
    max_logp: float | None = None
    min_tpsa: float | None = None
    max_tpsa: float | None = None
    max_h_bond_donors: Count | None = None
    max_h_bond_acceptors: Count | None = None
    max_rotatable_bonds: Count | None = None
    min_rings: Count | None = None
    max_rings: Count | None = None
    min_fraction_sp3: float | None = None
    min_qed: float | None = None
    without_alerts: list[AlertCatalogue] = Field(
        default=[], description="Only ligands without an alert of these catalogues."
    )
    interactions: list[Condition] = Field(
        default=[],
        max_length=MAX_CONDITIONS,
        description="Conditions on the best pose: TYPE@CHAIN:RESIDUE, or several joined by commas of which one is "
        "enough, or `2 of` several. Each repetition of the parameter is a condition, and all must hold.",
        examples=[["HBond@A:GLU80", "2 of HBond@A:LEU83,Hydrophobic@A:VAL18,PiStacking@A:PHE80"]],
    )
    max_missing_interactions: Count = Field(
        default=0, description="So many of the conditions on interactions may fail."
    )

    def as_filter(self) -> HitFilter:
        """Return the domain's filter; InvalidInput (``invalid_interaction_filter``) if a condition cannot be read."""
        plain = self.model_dump(include=set(HitFilter.__dataclass_fields__) - {"interactions", "without_alerts"})
        wanted = interaction_filter(self.interactions, self.max_missing_interactions)
        return HitFilter(**plain, without_alerts=tuple(self.without_alerts), interactions=wanted)


class HitQuery(HitFilters):
    """A page of a hit list."""

    order: HitOrder = Field(default=HitOrder.SCORE, description="Scores and efficiency put the best first.")
    with_total: bool = Field(default=False, description="Also count what passes the filters.")
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE, description="Most items of one page.")


class HitFiltersInBody(HitFilters):
    """The same filters; numbers and flags are taken as such only."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    without_alerts: list[Annotated[AlertCatalogue, Field(strict=False)]] = []
