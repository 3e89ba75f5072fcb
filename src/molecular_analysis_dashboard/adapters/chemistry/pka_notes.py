"""Saying which protonation states near the site are uncertain, by PROPKA's pKa values."""

from collections.abc import Iterable

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    BLOCK_ANGSTROM,
    Notebook,
    ReceptorResidue,
)
from molecular_analysis_dashboard.domain.receptors import Severity

# PROPKA 3 is off by 0.8 pH units (carboxylates) to 1 (others) (Olsson et al. 2011, doi:10.1021/ct100578z).
UNCERTAIN_PH_UNITS = 1.0
_ACIDS = frozenset({"ASP", "GLU", "CYS", "TYR"})
_TITRATED = _ACIDS | {"HIS", "LYS"}
# PROPKA writes 99.99 for groups that cannot titrate, such as disulfides.
_LARGEST_PKA = 20.0


def note_pkas(pkas: Iterable[tuple[ReceptorResidue, float]], ph: float, book: Notebook) -> None:
    """Note the pKa of each titratable residue near the site; a warning where it is close to the pH."""
    for residue, pka in pkas:
        if residue.name not in _TITRATED or pka > _LARGEST_PKA or not book.site.is_within(residue, BLOCK_ANGSTROM):
            continue
        is_open = abs(pka - ph) < UNCERTAIN_PH_UNITS
        message = f"Predicted pKa {pka:.1f} at pH {ph:g}: {_form(residue.name, pka, ph)}"
        if is_open:
            message += f", but PROPKA is off by about {UNCERTAIN_PH_UNITS:g} unit, so consider the other form"
        book.note(residue, "pka", f"{message}.", Severity.WARNING if is_open else Severity.INFO)


def _form(name: str, pka: float, ph: float) -> str:
    is_protonated = ph < pka
    if name in _ACIDS:
        return "neutral" if is_protonated else "negative"
    return "positive" if is_protonated else "neutral"
