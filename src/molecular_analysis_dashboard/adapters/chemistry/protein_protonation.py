"""Missing side-chain atoms and hydrogens of proteins at a pH, by PDB2PQR and PROPKA."""

import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray
from pdb2pqr import biomolecule as pdb2pqr_biomolecule  # type: ignore[import-untyped]  # ships no types
from pdb2pqr import debump, hydrogens
from pdb2pqr import io as pdb2pqr_io
from pdb2pqr import pdb as pdb2pqr_pdb
from pdb2pqr.main import (  # type: ignore[import-untyped]  # ships no types
    build_main_parser,
    run_propka,
)

from molecular_analysis_dashboard.adapters.chemistry.chain_gaps import is_joined
from molecular_analysis_dashboard.adapters.chemistry.library_noise import silenced
from molecular_analysis_dashboard.adapters.chemistry.pka_notes import note_pkas
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)

# PDB2PQR keeps chains apart by one letter and residues by four digits.
_CHAIN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MOVED_ANGSTROM = 0.1
_CONTACT_ANGSTROM = 4.0
_FLIPPABLE = frozenset({"ASN", "GLN", "HIS"})
_BACKBONE = ("N", "CA", "C")
_LOGGERS = ("PDB2PQR", "pdb2pqr", "propka")

Chains = Sequence[Sequence[ReceptorResidue]]
# Position of the chain and, in it, of the residue.
Key = tuple[int, int]
Treated = dict[Key, ReceptorResidue]


class ProtonationFailed(Exception):
    """PDB2PQR could not treat these chains; the message says why."""


def protonate_chains(
    chains: Chains, surroundings: Sequence[ReceptorAtom], ph: float, starts: Collection[str], book: Notebook
) -> list[list[ReceptorResidue]]:
    """Return the chains with missing side-chain atoms and all hydrogens of standard amino acids.

    PDB2PQR sees protein only, so side chains in contact with anything else (`surroundings`: ligands, ions, cofactors,
    whether they stay or not; modified residues and nucleic acids of the chains) are not turned around: the
    crystallographer saw what they touch.

    Every residue that gained or moved heavy atoms, or has an unusual protonation state, gets a note, and so does every
    predicted pKa near the site. Residues without backbone and residues that are no standard amino acids come back as
    they were, and so do chains that PDB2PQR cannot treat.

    Parameters
    ----------
    starts : collection of str
        Labels of residues with which a sequence begins; the others at a chain's head keep one hydrogen on their
        nitrogen, as if the chain went on.
    """
    others = [atom for chain in chains for residue in chain if not can_protonate(residue) for atom in residue.atoms]
    made: dict[Key, ReceptorResidue] = {}
    for start in range(0, len(chains), len(_CHAIN_LETTERS)):
        batch = chains[start : start + len(_CHAIN_LETTERS)]
        for (chain, index), residue in _run_or_part(batch, [*surroundings, *others], ph, book).items():
            made[start + chain, index] = residue
    result = []
    for i, chain_residues in enumerate(chains):
        result.append([made.get((i, j), residue) for j, residue in enumerate(chain_residues)])
        for j, (before, after) in enumerate(zip(chain_residues, result[-1], strict=True)):
            if before is not after:
                previous = chain_residues[j - 1] if j else None
                if previous is not None or before.label not in starts:
                    result[-1][j] = _within_chain(after, previous)
                _write_changes(before, after, book)
    return result


def _run_or_part(chains: Chains, surroundings: Sequence[ReceptorAtom], ph: float, book: Notebook) -> Treated:
    """Run PDB2PQR on all chains at once, or chain by chain when one of them spoils it for the others."""
    try:
        return _run(chains, surroundings, ph, book)
    except ProtonationFailed as cause:
        if len(chains) == 1:
            _note_failure(chains[0], cause, book)
            return {}
    made: Treated = {}
    for position, chain in enumerate(chains):
        alone = _run_or_part([chain], surroundings, ph, book)
        made |= {(position, index): residue for (_, index), residue in alone.items()}
    return made


def _note_failure(chain: Sequence[ReceptorResidue], cause: ProtonationFailed, book: Notebook) -> None:
    book.steps.append(f"typed chain {chain[0].chain} without PDB2PQR, which failed")
    book.whole(
        "protonation_failed",
        f"PDB2PQR failed on chain {chain[0].chain} ({str(cause)[:200]}), so its residues have their usual protonation "
        "state, no side chain was rebuilt and no hydrogen bond optimized. Look at the residues of the site.",
    )


def _within_chain(residue: ReceptorResidue, previous: ReceptorResidue | None) -> ReceptorResidue:
    """Return the residue with the one hydrogen on its nitrogen that a peptide has, of proline none.

    PDB2PQR takes it for the end of a chain, or places the hydrogen at random, where it does not see what comes before.
    """
    if previous is not None and can_protonate(previous):
        return residue
    ends = {"H", "H2", "H3"}
    nitrogen, alpha = residue.atom("N"), residue.atom("CA")
    hydrogen = next((atom for atom in residue.atoms if atom.name in ends), None)
    if hydrogen is None or nitrogen is None or alpha is None:
        return residue
    atoms = tuple(atom for atom in residue.atoms if atom.name not in ends)
    if residue.name == "PRO":
        return replace(residue, atoms=atoms)
    carbonyl = previous.atom("C") if previous is not None and is_joined(previous, residue) else None
    if carbonyl is not None:
        hydrogen = replace(hydrogen, position=_opposite(nitrogen, alpha, carbonyl))
    return replace(residue, atoms=(*atoms, replace(hydrogen, name="H")))


def _opposite(nitrogen: ReceptorAtom, *neighbours: ReceptorAtom) -> tuple[float, float, float]:
    """Return a place 1.01 Å from a planar nitrogen, away from its neighbours."""
    own = np.array(nitrogen.position)
    towards = [np.array(atom.position) - own for atom in neighbours]
    away = -sum((vector / np.linalg.norm(vector) for vector in towards), np.zeros(3))
    x, y, z = own + 1.01 * away / np.linalg.norm(away)
    return float(x), float(y), float(z)


def can_protonate(residue: ReceptorResidue) -> bool:
    """Whether it is a standard amino acid with its backbone."""
    info = gemmi.find_tabulated_residue(residue.name)
    standard = bool(info.found() and info.is_standard() and info.is_amino_acid())
    return standard and all(residue.atom(name) is not None for name in _BACKBONE)


def _run(chains: Chains, surroundings: Sequence[ReceptorAtom], ph: float, book: Notebook) -> Treated:
    """Run PDB2PQR on one batch."""
    if not any(can_protonate(residue) for chain in chains for residue in chain):
        return {}
    with silenced(*_LOGGERS):
        try:
            treated, pkas = _protonated(_pdb_text(chains), _held(chains, surroundings), ph)
        except Exception as cause:  # PDB2PQR raises whatever its data structures raise
            raise ProtonationFailed(f"{type(cause).__name__}: {cause}") from cause
    note_pkas(((chains[i][j], pka) for (i, j), pka in pkas), ph, book)
    return {key: _taken_over(chains[key[0]][key[1]], residue) for key, residue in treated.items()}


def _protonated(pdb_text: str, held: set[Key], ph: float) -> tuple[dict[Key, object], list[tuple[Key, float]]]:
    """Run PDB2PQR's steps and return its residues and their pKa values by their place in our chains."""
    options = build_main_parser().parse_args(
        ["--ff=AMBER", "--titration-state-method=propka", "--keep-chain", f"--with-ph={ph}", "in.pdb", "out.pqr"]
    )
    records, _ = pdb2pqr_pdb.read_pdb(io.StringIO(pdb_text))
    molecule = pdb2pqr_biomolecule.Biomolecule(records, pdb2pqr_io.get_definitions())
    # Termini may split chains under new letters, so each residue's place is remembered first.
    places = [(_place(residue), residue) for residue in molecule.residues]
    molecule.set_termini()
    molecule.update_bonds()
    # Its own limit of 10 % missing atoms is for proteins as a whole; each rebuilt residue is named in the report.
    if molecule.num_missing_heavy:
        molecule.repair_heavy()
    molecule.update_ss_bridges()
    debumper = _Debump(molecule)
    debumper.debump_biomolecule()
    molecule.remove_hydrogens()
    rows, _ = run_propka(options, molecule)
    pkas = [row for row in rows if str(row["group_label"]).startswith(str(row["res_name"]))]
    molecule.apply_pka_values("amber", ph, {_pka_key(row): row["pKa"] for row in pkas})
    molecule.add_hydrogens()
    debumper.debump_biomolecule()
    routines = hydrogens.HydrogenRoutines(debumper, hydrogens.create_handler())
    routines.set_optimizeable_hydrogens()
    molecule.hold_residues([(r.res_seq, r.chain_id, r.ins_code) for place, r in places if place in held])
    routines.initialize_full_optimization()
    routines.optimize_hydrogens()
    routines.cleanup()
    molecule.set_states()
    by_key = {(r.res_seq, r.chain_id): place for place, r in places}
    found = [((int(row["res_num"]), row["chain_id"]), float(row["pKa"])) for row in pkas]
    return dict(places), [(by_key[key], pka) for key, pka in found if key in by_key]


class _Debump(debump.Debump):  # type: ignore[misc]  # PDB2PQR has no types
    """Makes room for what was rebuilt, by turning about bonds beyond which something was.

    By itself PDB2PQR turns whole side chains for a single hydrogen that it has placed, at times into another residue;
    what the crystallographer saw whole stays where it is.
    """

    def debump_residue(self, residue: Any, conflict_names: list[str]) -> bool:  # noqa: ANN401 - PDB2PQR has no types
        angles = list(residue.dihedrals)
        fixed = [number for number, angle in enumerate(angles) if angle is not None and _turns_seen(residue, number)]
        for number in fixed:
            # It turns about no bond whose angle it does not know.
            residue.dihedrals[number] = None
        try:
            return bool(super().debump_residue(residue, conflict_names))
        finally:
            for number in fixed:
                residue.dihedrals[number] = angles[number]


def _turns_seen(residue: Any, number: int) -> bool:  # noqa: ANN401 - PDB2PQR has no types
    """Whether a turn about one of a residue's bonds moves heavy atoms, and only such as the file has."""
    pivot = residue.reference.dihedrals[number].split()[2]
    moved = [residue.get_atom(name) for name in residue.get_moveable_names(pivot)]
    added = [atom.added for atom in moved if not atom.is_hydrogen]
    return bool(added) and not any(added)


def _place(residue: object) -> Key:
    return _CHAIN_LETTERS.index(residue.chain_id), int(residue.res_seq) - 1  # type: ignore[attr-defined]


def _held(chains: Chains, surroundings: Sequence[ReceptorAtom]) -> set[Key]:
    """Return the places of flippable residues that touch what PDB2PQR does not see."""
    if not surroundings:
        return set()
    points = np.array([atom.position for atom in surroundings])
    return {
        (i, j)
        for i, chain in enumerate(chains)
        for j, residue in enumerate(chain)
        if residue.name in _FLIPPABLE and can_protonate(residue) and _touches(residue, points)
    }


def _touches(residue: ReceptorResidue, points: NDArray[np.float64]) -> bool:
    own = np.array([atom.position for atom in residue.atoms])
    distances = np.linalg.norm(own[:, None] - points[None, :], axis=2)
    return bool(distances.min() <= _CONTACT_ANGSTROM)


def _pka_key(row: Mapping[str, Any]) -> object:
    return pdb2pqr_biomolecule.pka_key(row["res_name"], row["res_num"], row["chain_id"], row.get("ins_code"))


def _pdb_text(chains: Chains) -> str:
    lines = []
    serial = 0
    for letter, chain in zip(_CHAIN_LETTERS, chains, strict=False):
        for number, residue in enumerate(chain, start=1):
            if not can_protonate(residue):
                continue
            for atom in residue.atoms:
                serial += 1
                name = atom.name if len(atom.name) >= 4 else f" {atom.name}"
                x, y, z = atom.position
                lines.append(
                    f"ATOM  {serial % 100_000:5d} {name:<4.4} {residue.name:>3} {letter}{number:4d}    "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {atom.element:>2}"
                )
        lines.append("TER")
    return "\n".join([*lines, "END", ""])


def _taken_over(residue: ReceptorResidue, treated: object) -> ReceptorResidue:
    """Return our residue with PDB2PQR's atoms; a terminal oxygen that the file lacks is not added."""
    known = {atom.name: atom for atom in residue.atoms}
    atoms = []
    for atom in treated.atoms:  # type: ignore[attr-defined]  # PDB2PQR has no types
        if atom.name == "OXT" and "OXT" not in known:
            continue
        element = known[atom.name].element if atom.name in known else _element(atom.name)
        atoms.append(ReceptorAtom(atom.name, element, (float(atom.x), float(atom.y), float(atom.z))))
    return replace(residue, atoms=tuple(atoms))


def _element(name: str) -> str:
    return name.lstrip("0123456789")[:1]


def _write_changes(before: ReceptorResidue, after: ReceptorResidue, book: Notebook) -> None:
    old = {atom.name: atom for atom in before.atoms}
    heavy = [atom for atom in after.atoms if not atom.is_hydrogen]
    added = sorted(atom.name for atom in heavy if atom.name not in old)
    moved = [atom for atom in heavy if atom.name in old and _shift(old[atom.name], atom) > _MOVED_ANGSTROM]
    if lost := sorted(set(old) - {atom.name for atom in heavy}):
        book.change(after, "atoms_removed", f"Atoms that {after.name} does not have were removed: {', '.join(lost)}.")
    if added:
        book.change(after, "side_chain_rebuilt", f"Missing atoms were added: {', '.join(added)}.")
    elif moved:
        most = max(_shift(old[atom.name], atom) for atom in moved)
        message = (
            "The end of the side chain was turned around for better hydrogen bonds."
            if after.name in _FLIPPABLE
            else f"Atoms moved by up to {most:.1f} Å while hydrogen bonds were optimized."
        )
        book.change(after, "side_chain_moved", message)
    if state := _unusual_state(after):
        book.change(after, "protonation", state)


def _shift(old: ReceptorAtom, new: ReceptorAtom) -> float:
    return math.dist(old.position, new.position)


def _unusual_state(residue: ReceptorResidue) -> str:
    """Name a protonation state other than the usual one in water; histidine always, for it has no usual one."""
    names = {atom.name for atom in residue.atoms}
    match residue.name:
        case "HIS":
            form = {(True, True): "both nitrogens (charged)", (True, False): "ND1", (False, True): "NE2"}
            return f"Protonated at {form.get(('HD1' in names, 'HE2' in names), 'no nitrogen')}."
        case "ASP" if {"HD1", "HD2"} & names:
            return "Protonated (neutral)."
        case "GLU" if {"HE1", "HE2"} & names:
            return "Protonated (neutral)."
        case "LYS" if "HZ3" not in names:
            return "Deprotonated (neutral)."
        case _:
            return ""
