"""The reference page has the constants of the pocket finder, and every code by which a pocket is refused."""

import re
from pathlib import Path

from molecular_analysis_dashboard.adapters.chemistry import alpha_spheres, pockets

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "pockets.md").read_text(encoding="utf-8")
DOMAIN = (ROOT / "src" / "molecular_analysis_dashboard" / "domain" / "pockets.py").read_text(encoding="utf-8")


def test_every_constant_of_the_method_stands_in_the_table() -> None:
    table = PAGE.partition("| constant |")[2].partition("\n\n")[0]
    score = [value for name, value in vars(pockets).items() if name.startswith(("_WEIGHT", "_INTERCEPT"))]
    assert len(score) == 6
    spheres = (
        f"{alpha_spheres.MIN_RADIUS_ANGSTROM} to {alpha_spheres.MAX_RADIUS_ANGSTROM} Å",
        f"{alpha_spheres.LINK_ANGSTROM} Å",
        f"| {alpha_spheres.MIN_SPHERES} |",
        f"| {pockets.MAX_POCKETS} |",
    )
    told = [*(f"| {value:.5f} |" for value in score), *spheres]
    assert [text for text in told if text not in table] == []


def test_every_refusal_is_explained() -> None:
    codes = re.findall(r'code="(\w+)"', DOMAIN)
    assert codes == ["no_pocket_found", "pocket_not_found"]
    assert [
        code for code in [*codes, "pockets_unknown", "receptor_of_other_structure"] if f"`{code}`" not in PAGE
    ] == []
