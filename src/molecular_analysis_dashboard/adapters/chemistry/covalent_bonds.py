"""Finding bonds between a ligand and the receptor, which docking of free molecules knows nothing of."""

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import IN_CHAIN, classified
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import ReceptorAtom, ReceptorResidue
from molecular_analysis_dashboard.adapters.chemistry.structures import residue_number

# Beyond the sum of covalent radii (Cordero 2008, as gemmi tabulates them); hydrogen bonds are 0.9 Å beyond it.
_TOLERANCE_ANGSTROM = 0.3
_LONGEST_BOND_ANGSTROM = 2.6


def covalent_bonds(model: gemmi.Model, ligand: ReceptorResidue) -> tuple[str, ...]:
    """Return a warning that names each residue of a chain that is bonded to the ligand; metals do not count."""
    search = gemmi.NeighborSearch(model, gemmi.UnitCell(), _LONGEST_BOND_ANGSTROM).populate(include_h=False)
    chained = _chained(model)
    bonds: dict[str, str] = {}
    for atom in ligand.atoms:
        for mark in search.find_atoms(gemmi.Position(*atom.position), "\0", radius=_LONGEST_BOND_ANGSTROM):
            found = mark.to_cra(model)
            place = (found.chain.name, str(found.residue.seqid), found.residue.name)
            if place in chained and _bonded(atom, found.atom):
                label = f"{found.chain.name}:{found.residue.name} {residue_number(found.residue)}"
                distance = found.atom.pos.dist(gemmi.Position(*atom.position))
                bonds.setdefault(label, f"{atom.name} to {found.atom.name} of {label}, {distance:.2f} Å")
    if not bonds:
        return ()
    return (
        f"{ligand.selectors[2]} is covalently bound to the receptor ({'; '.join(bonds.values())}). Docking places it "
        "as a free molecule: expect another pose, and scores that leave the bond out.",
    )


def _chained(model: gemmi.Model) -> set[tuple[str, str, str]]:
    return {
        (chain.name, str(residue.seqid), residue.name)
        for chain in model
        for residue, kind in classified(chain)
        if kind in IN_CHAIN
    }


def _bonded(atom: ReceptorAtom, other: gemmi.Atom) -> bool:
    element = gemmi.Element(atom.element)
    if element.is_metal or other.element.is_metal:
        return False
    reach = element.covalent_r + other.element.covalent_r + _TOLERANCE_ANGSTROM
    return bool(other.pos.dist(gemmi.Position(*atom.position)) <= reach)
