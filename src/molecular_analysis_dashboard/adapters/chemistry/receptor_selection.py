"""Choosing what of a structure becomes the receptor: model, chains, locations and hetero groups."""

from collections.abc import Iterator
from dataclasses import dataclass

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import (
    IN_CHAIN,
    GroupKind,
    classified,
    standard_name,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    KEEP_ANGSTROM,
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, Severity, WaterPolicy

# A cofactor whose centre lies this near to the site's centre is what the site was defined by.
_OCCUPANT_ANGSTROM = 2.0


@dataclass(frozen=True)
class Selection:
    """The residues that go on: chains in order, and hetero groups that stay."""

    chains: tuple[tuple[ReceptorResidue, ...], ...]
    groups: tuple[tuple[ReceptorResidue, GroupKind], ...]


def select(structure: gemmi.Structure, options: ReceptorOptions, book: Notebook) -> Selection:
    """Apply the options to a structure; hydrogens of the file are left behind.

    Raises
    ------
    InvalidInput
        ``model_not_found``, ``chain_not_found`` or ``group_not_found``, each naming what there is.
    """
    model = _model(structure, options, book)
    wanted = _wanted_chains(model, options)
    chains: dict[str, list[ReceptorResidue]] = {}
    groups: list[tuple[ReceptorResidue, GroupKind]] = []
    seen: set[str] = set()
    had_hydrogens = False
    for chain in model:
        if chain.name not in wanted:
            continue
        for residue, kind in _one_per_position(chain, book):
            had_hydrogens = had_hydrogens or any(atom.is_hydrogen() for atom in residue)
            found = residue_of(residue, chain.name, book)
            if not found.atoms:
                continue
            if kind in IN_CHAIN:
                chains.setdefault(chain.name, []).append(found)
                continue
            seen.update(found.selectors)
            if _stays(found, kind, options, book):
                groups.append((found, kind))
    _refuse_unknown_groups(options, seen)
    if had_hydrogens:
        book.steps.append("removed the file's own hydrogens, to add them consistently")
    return Selection(tuple(tuple(residues) for residues in chains.values()), tuple(groups))


def _model(structure: gemmi.Structure, options: ReceptorOptions, book: Notebook) -> gemmi.Model:
    if not 1 <= options.model <= len(structure):
        raise InvalidInput(
            f"There is no model {options.model}; the structure has {len(structure)}.",
            code="model_not_found",
            n_models=len(structure),
        )
    if len(structure) > 1:
        book.steps.append(f"took model {options.model} of {len(structure)}")
    return structure[options.model - 1]


def _wanted_chains(model: gemmi.Model, options: ReceptorOptions) -> frozenset[str]:
    present = list(dict.fromkeys(chain.name for chain in model))
    missing = [name for name in options.chains if name not in present]
    if missing:
        raise InvalidInput(
            f"There is no chain {', '.join(missing)}; the structure has {', '.join(present)}.",
            code="chain_not_found",
            missing=missing,
            chains=present,
        )
    return frozenset(options.chains or present)


def _one_per_position(chain: gemmi.Chain, book: Notebook) -> Iterator[tuple[gemmi.Residue, GroupKind]]:
    """Yield residues; where two kinds share one position, only the one of higher occupancy."""
    for group in _positions(chain):
        if len(group) == 1:
            yield group[0]
            continue
        best = max(group, key=lambda pair: sum(atom.occ for atom in pair[0]) / max(len(pair[0]), 1))
        names = "/".join(residue.name for residue, _ in group)
        book.change(
            residue_of(best[0], chain.name, None),
            "microheterogeneity_chosen",
            f"{names} share this position; {best[0].name} has the highest occupancy.",
        )
        yield best


def _positions(chain: gemmi.Chain) -> Iterator[list[tuple[gemmi.Residue, GroupKind]]]:
    group: list[tuple[gemmi.Residue, GroupKind]] = []
    for residue, kind in classified(chain):
        same = group and group[0][0].seqid == residue.seqid and group[0][0].name != residue.name
        if same and kind in IN_CHAIN and group[0][1] in IN_CHAIN:
            group.append((residue, kind))
            continue
        if group:
            yield group
        group = [(residue, kind)]
    if group:
        yield group


def residue_of(residue: gemmi.Residue, chain: str, book: Notebook | None) -> ReceptorResidue:
    """Return the residue with its heavy atoms at the location of highest occupancy."""
    altloc = _best_altloc(residue)
    atoms: dict[str, ReceptorAtom] = {}
    for atom in residue:
        if atom.is_hydrogen() or (atom.altloc != "\0" and altloc is not None and atom.altloc != altloc):
            continue
        position = (atom.pos.x, atom.pos.y, atom.pos.z)
        atoms.setdefault(atom.name, ReceptorAtom(atom.name, atom.element.name, position))
    # An atom that exists only at the other location is better than none.
    for atom in residue:
        if not atom.is_hydrogen() and atom.name not in atoms:
            position = (atom.pos.x, atom.pos.y, atom.pos.z)
            atoms[atom.name] = ReceptorAtom(atom.name, atom.element.name, position)
    icode = residue.seqid.icode.strip()
    hetero = residue.het_flag == "H"
    found = ReceptorResidue(
        chain, residue.seqid.num or 0, icode, standard_name(residue.name), tuple(atoms.values()), hetero
    )
    if altloc is not None and book is not None:
        book.change(found, "altloc_chosen", f"Location {altloc} has the highest occupancy and is used.")
    return found


def _best_altloc(residue: gemmi.Residue) -> str | None:
    occupancy: dict[str, float] = {}
    for atom in residue:
        if atom.altloc != "\0":
            occupancy[atom.altloc] = occupancy.get(atom.altloc, 0.0) + atom.occ
    if not occupancy:
        return None
    return max(sorted(occupancy), key=lambda label: occupancy[label])


def _stays(residue: ReceptorResidue, kind: GroupKind, options: ReceptorOptions, book: Notebook) -> bool:
    """Decide about a hetero group and write the decision down."""
    decision, why = _decision(residue, kind, options, book)
    if kind is GroupKind.WATER:
        return decision
    severity = Severity.INFO
    if not decision and kind in (GroupKind.ION, GroupKind.COFACTOR) and book.site.is_within(residue, KEEP_ANGSTROM):
        severity = Severity.WARNING
    action = "kept" if decision else "removed"
    book.note(residue, action, f"{kind.value.replace('_', ' ').capitalize()} {action}: {why}.", severity)
    return decision


def _decision(residue: ReceptorResidue, kind: GroupKind, options: ReceptorOptions, book: Notebook) -> tuple[bool, str]:
    if any(selector in options.remove for selector in residue.selectors):
        return False, "the options say so"
    if any(selector in options.keep for selector in residue.selectors):
        return True, "the options say so"
    if kind is GroupKind.WATER:
        return options.waters is WaterPolicy.ALL, "water policy"
    if kind not in (GroupKind.ION, GroupKind.COFACTOR):
        return False, "it is not part of the receptor unless the options keep it"
    if book.site.center is None:
        return True, "no site was given to judge it by"
    if kind is GroupKind.COFACTOR and _occupies_site(residue, book):
        return False, "it occupies the binding site; keep it by name if it belongs to the receptor"
    if book.site.is_within(residue, KEEP_ANGSTROM):
        return True, f"it is within {KEEP_ANGSTROM:g} Å of the site"
    return False, f"it is farther than {KEEP_ANGSTROM:g} Å from the site"


def _occupies_site(residue: ReceptorResidue, book: Notebook) -> bool:
    center = book.site.center
    if center is None:
        return False
    n = len(residue.atoms)
    mean = [sum(atom.position[axis] for atom in residue.atoms) / n for axis in range(3)]
    return sum((a - b) ** 2 for a, b in zip(mean, center, strict=True)) <= _OCCUPANT_ANGSTROM**2


def _refuse_unknown_groups(options: ReceptorOptions, seen: set[str]) -> None:
    unknown = [selector for selector in (*options.keep, *options.remove) if selector not in seen]
    if unknown:
        names = sorted(selector for selector in seen if selector.count(":") == 2)
        raise InvalidInput(
            f"The structure has no hetero group {', '.join(unknown)}. It has: {', '.join(names[:20]) or 'none'}.",
            code="group_not_found",
            missing=unknown,
            groups=names[:200],
        )
