"""Meeko's residue templates, with forms named by protonation."""

from functools import cache

from meeko import ResidueChemTemplates

from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorResidue

_FORMS = ("HIE", "HID", "HIP", "CYS", "CYX", "CYX-", "ASP", "ASH", "GLU", "GLH", "LYS", "LYN")


@cache
def residue_templates() -> ResidueChemTemplates:
    """Return Meeko's templates, one set per process: building the molecules of all of them takes a while."""
    templates = ResidueChemTemplates.create_from_defaults()
    for form in _FORMS:
        templates.ambiguous[f"={form}"] = [form, f"N{form}", f"C{form}"]
    return templates


def form_of(residue: ReceptorResidue, *, has_disulfide: bool) -> str:
    """Return the name under which `residue_templates` knows the residue in its protonation state."""
    names = {atom.name for atom in residue.atoms}
    if not any(atom.is_hydrogen for atom in residue.atoms):
        return "=CYX" if residue.name == "CYS" and has_disulfide else residue.name
    match residue.name:
        case "HIS":
            forms = {(True, True): "=HIP", (True, False): "=HID", (False, True): "=HIE"}
            return forms.get(("HD1" in names, "HE2" in names), "=HIE")
        case "CYS":
            return "=CYX" if has_disulfide else ("=CYS" if "HG" in names else "=CYX-")
        case "ASP":
            return "=ASH" if {"HD1", "HD2"} & names else "=ASP"
        case "GLU":
            return "=GLH" if {"HE1", "HE2"} & names else "=GLU"
        case "LYS":
            return "=LYS" if "HZ3" in names else "=LYN"
        case name:
            return name
