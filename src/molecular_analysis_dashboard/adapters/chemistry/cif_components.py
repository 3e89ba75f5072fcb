"""Chemical components that an mmCIF file describes itself."""

import gemmi
from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.ccd import Component

_ORDERS = {"SING": Chem.BondType.SINGLE, "DOUB": Chem.BondType.DOUBLE, "TRIP": Chem.BondType.TRIPLE}


def component_of_file(text: str, name: str) -> Component | None:
    """Return a component from the file's ``chem_comp_atom`` and ``chem_comp_bond``, None if it has none.

    Aromatic bonds without a Kekulé order (``AROM``, ``DELO``) are not taken: an order would have to be guessed.
    """
    if "_chem_comp_bond." not in text:
        return None
    for block in gemmi.cif.read_string(text):
        found = _component(block, name)
        if found is not None:
            return found
    return None


def _component(block: gemmi.cif.Block, name: str) -> Component | None:
    bonds = []
    for row in block.find("_chem_comp_bond.", ["comp_id", "atom_id_1", "atom_id_2", "value_order"]):
        if row.str(0) == name:
            order = _ORDERS.get(row.str(3).upper()[:4])
            if order is None:
                return None
            bonds.append((row.str(1), row.str(2), order))
    atoms = _atoms(block, name)
    if not bonds or not atoms or any(a not in atoms or b not in atoms for a, b, _ in bonds):
        return None
    return Component(name, atoms, tuple(bonds))


def _atoms(block: gemmi.cif.Block, name: str) -> dict[str, tuple[str, int]]:
    charged = block.find("_chem_comp_atom.", ["comp_id", "atom_id", "type_symbol", "?charge"])
    atoms = {}
    for row in charged:
        if row.str(0) == name:
            charge = row.str(3) if row.has(3) else ""
            atoms[row.str(1)] = (row.str(2).capitalize(), int(charge) if charge.lstrip("+-").isdigit() else 0)
    return atoms
