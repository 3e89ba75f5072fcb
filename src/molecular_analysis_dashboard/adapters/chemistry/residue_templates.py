"""Meeko's residue templates, with forms named by protonation and modified residues from the dictionary."""

from functools import cache

from meeko import ResidueChemTemplates
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ccd import Component, component
from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorResidue

_FORMS = ("HIE", "HID", "HIP", "CYS", "CYX", "CYX-", "ASP", "ASH", "GLU", "GLH", "LYS", "LYN")
_ACIDIC_OXYGEN = Chem.MolFromSmarts("[OX2H0$([OX2][#1])][C,P,S](=O)")


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


def add_modified_residue(templates: ResidueChemTemplates, name: str) -> bool:
    """Add a template for a modified amino acid from the dictionary; False if that is impossible."""
    if name in templates.ambiguous or name in templates.residue_templates:
        return True
    found = component(name)
    if found is None or not {"N", "CA", "C", "O"} <= set(found.atoms):
        return False
    made = {}
    for key, keeps_terminal_oxygen in ((f"{name}_inner", False), (f"{name}_end", True)):
        template = _template(found, keeps_terminal_oxygen)
        if template is not None:
            made[key] = template
    if not made:
        return False
    templates.add_dict({"residue_templates": made, "ambiguous": {name: list(made)}})
    return True


def _template(found: Component, keeps_terminal_oxygen: bool) -> dict[str, object] | None:
    """Return Meeko's form of a residue without the atoms that leave on chain formation."""
    leaving = {"HXT", "H2", "H3"} | (set() if keeps_terminal_oxygen else {"OXT"})
    names = [name for name in found.atoms if name not in leaving]
    mol = Chem.RWMol()
    index = {}
    for name in names:
        element, charge = found.atoms[name]
        atom = Chem.Atom(element)
        atom.SetFormalCharge(-1 if name == "OXT" else charge)
        index[name] = mol.AddAtom(atom)
    for first, second, order in found.bonds:
        if first in index and second in index:
            mol.AddBond(index[first], index[second], order)
    if Chem.SanitizeMol(mol, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        take_messages()
        return None
    mol, names = _deprotonated(mol, names)
    links = {"N": "N-term"} if keeps_terminal_oxygen else {"N": "N-term", "C": "C-term"}
    smiles = Chem.MolToSmiles(mol)
    output = [int(i) for i in mol.GetProp("_smilesAtomOutputOrder").strip("[],").split(",")]
    written = [names[i] for i in output]
    return {
        "smiles": smiles,
        "atom_name": written,
        "link_labels": {str(written.index(atom)): label for atom, label in links.items()},
    }


def _deprotonated(mol: Chem.RWMol, names: list[str]) -> tuple[Chem.RWMol, list[str]]:
    """Make anions of carboxylic, phosphoric and sulphuric acids, which the dictionary lists with their proton."""
    protons = []
    for match in mol.GetSubstructMatches(_ACIDIC_OXYGEN):
        oxygen = mol.GetAtomWithIdx(match[0])
        oxygen.SetFormalCharge(-1)
        protons += [n.GetIdx() for n in oxygen.GetNeighbors() if n.GetAtomicNum() == 1]
    for proton in sorted(protons, reverse=True):
        mol.RemoveAtom(proton)
        names = names[:proton] + names[proton + 1 :]
    Chem.SanitizeMol(mol)
    return mol, names
