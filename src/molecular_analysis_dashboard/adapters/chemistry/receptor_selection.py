"""Choosing what of a structure becomes the receptor: model, chains, locations and hetero groups."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.bound_waters import chosen_waters, refuse_without_site
from molecular_analysis_dashboard.adapters.chemistry.chain_caps import capped
from molecular_analysis_dashboard.adapters.chemistry.chain_gaps import note_gaps
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import (
    IN_CHAIN,
    GroupKind,
    classified,
    is_standard_residue,
    standard_name,
)
from molecular_analysis_dashboard.adapters.chemistry.inter_residue_bonds import (
    Links,
    attached_to,
    links_between,
    without_partners,
)
from molecular_analysis_dashboard.adapters.chemistry.receptor_extent import around_site
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import (
    Notebook,
    ReceptorAtom,
    ReceptorResidue,
)
from molecular_analysis_dashboard.adapters.chemistry.residue_names import standardized
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, Severity

# A cofactor whose centre lies this near to the site's centre is what the site was defined by.
_OCCUPANT_ANGSTROM = 2.0
_SAME_PLACE_ANGSTROM = 0.9
_KEPT_NEAR = frozenset({GroupKind.ION, GroupKind.COFACTOR})


@dataclass(frozen=True)
class Selection:
    """What goes on, and what it stands beside.

    Parameters
    ----------
    chains : tuple
        Residues of each chain in order.
    groups : tuple
        Hetero groups that stay, with their kinds.
    removed : tuple of ReceptorResidue
        Hetero groups but waters that do not stay though no option says so: what side chains were seen to touch.
    links : Links
        Bonds between residues that stay, by label.
    starts : frozenset of str
        Labels of the residues with which the sequence of a chain begins.
    """

    chains: tuple[tuple[ReceptorResidue, ...], ...]
    groups: tuple[tuple[ReceptorResidue, GroupKind], ...]
    removed: tuple[ReceptorResidue, ...]
    links: Links
    starts: frozenset[str]


@dataclass
class _Contents:
    """What the chosen chains of a model hold."""

    chains: dict[str, list[ReceptorResidue]] = field(default_factory=dict)
    groups: list[tuple[ReceptorResidue, GroupKind]] = field(default_factory=list)
    starts: set[str] = field(default_factory=set)
    had_hydrogens: bool = False


def select(structure: gemmi.Structure, options: ReceptorOptions, book: Notebook) -> Selection:
    """Apply the options to a structure; hydrogens of the file are left behind.

    Raises
    ------
    InvalidInput
        ``model_not_found``, ``chain_not_found``, ``group_not_found`` or ``site_needed``, each naming what there is.
    PreparationFailed
        ``too_large``.
    """
    refuse_without_site(options)
    structure.assign_label_seq_id()
    model = _model(structure, options, book)
    found = _contents(model, _wanted_chains(model, options), book)
    _refuse_unknown_groups(options, {selector for group, _ in found.groups for selector in group.selectors})
    if found.had_hydrogens:
        book.steps.append("removed the file's own hydrogens, to add them consistently")
    chains = around_site(found.chains, book, may_leave_chains=not options.chains)
    note_gaps(found.chains.values(), {residue.label for chain in chains.values() for residue in chain}, book)
    solutes = [(group, kind) for group, kind in found.groups if kind is not GroupKind.WATER]
    if options.caps:
        chains = capped(chains, [group for group, _ in solutes], found.starts, book)
    polymer = [residue for residues in chains.values() for residue in residues]
    links = links_between([*polymer, *(group for group, _ in solutes)])
    attached = attached_to(polymer, links)
    stays = [_stays(group, kind, options, book, is_attached=group.label in attached) for group, kind in solutes]
    kept = [pair for pair, is_kept in zip(solutes, stays, strict=True) if is_kept]
    removed = [group for (group, _), is_kept in zip(solutes, stays, strict=True) if not is_kept]
    _note_lost_partners(polymer, removed, links, book)
    waters = [group for group, kind in found.groups if kind is GroupKind.WATER]
    chosen = chosen_waters(waters, [*polymer, *(group for group, _ in kept)], removed, options, book)
    return Selection(
        chains=tuple(tuple(residues) for residues in chains.values()),
        groups=(*kept, *((water, GroupKind.WATER) for water in chosen)),
        removed=tuple(group for group in removed if not any(name in options.remove for name in group.selectors)),
        links=without_partners(links, {group.label for group in removed}),
        starts=frozenset(found.starts),
    )


def _contents(model: gemmi.Model, wanted: frozenset[str], book: Notebook) -> _Contents:
    contents = _Contents()
    # Modelling programs leave the column empty; then zero says nothing.
    has_occupancies = any(site.atom.occ > 0 for site in model.all())
    for chain in model:
        if chain.name not in wanted:
            continue
        for residue, kind in _one_per_position(chain, book):
            contents.had_hydrogens = contents.had_hydrogens or any(atom.is_hydrogen() for atom in residue)
            found = residue_of(residue, chain.name, book)
            if not found.atoms:
                continue
            if has_occupancies and kind is not GroupKind.WATER:
                _note_unseen(residue, found, book)
            if kind not in IN_CHAIN:
                contents.groups.append((found, kind))
                continue
            known = standardized(found, book)
            contents.chains.setdefault(chain.name, []).append(known)
            if residue.label_seq in (None, 1):
                contents.starts.add(known.label)
    return contents


def _note_lost_partners(
    polymer: Sequence[ReceptorResidue], removed: Sequence[ReceptorResidue], links: Links, book: Notebook
) -> None:
    """Note each residue whose bond to a removed group is given up."""
    gone = {group.label for group in removed}
    for residue in polymer:
        for link in links.get(residue.label, ()):
            if link.partner.label in gone:
                book.change(
                    residue,
                    "covalent_partner_removed",
                    f"Its {link.atom} is bonded to {link.partner.label}, which is removed; it is treated as free.",
                )


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
    heavy = [atom for atom in residue if not atom.is_hydrogen()]
    chosen = [atom for atom in heavy if atom.altloc == "\0" or altloc is None or atom.altloc == altloc]
    atoms: dict[str, ReceptorAtom] = {}
    for atom in chosen:
        name = _free_name(atom, atoms, is_standard=is_standard_residue(residue.name))
        if name is not None:
            atoms[name] = _atom(atom, name)
    # An atom that exists only at the other location is better than none.
    for atom in heavy:
        if atom.name not in atoms:
            atoms[atom.name] = _atom(atom, atom.name)
    found = ReceptorResidue(
        chain,
        residue.seqid.num or 0,
        residue.seqid.icode.strip(),
        standard_name(residue.name),
        tuple(atoms.values()),
        is_hetero=residue.het_flag == "H",
    )
    if altloc is not None and book is not None:
        book.change(found, "altloc_chosen", f"Location {altloc} has the highest occupancy and is used.")
    return found


def _atom(atom: gemmi.Atom, name: str) -> ReceptorAtom:
    return ReceptorAtom(name, atom.element.name, (atom.pos.x, atom.pos.y, atom.pos.z))


def _free_name(atom: gemmi.Atom, atoms: Mapping[str, ReceptorAtom], *, is_standard: bool) -> str | None:
    """Return a name under which the atom can be kept, None when it is there already.

    Programs that cut names to fit their columns give several atoms of a group one name; atoms apart from each other
    are not the same. In a standard residue a second atom of a name is a second place of the first.
    """
    if atom.name not in atoms:
        return str(atom.name)
    place = atom.pos.tolist()
    if is_standard or any(math.dist(place, known.position) < _SAME_PLACE_ANGSTROM for known in atoms.values()):
        return None
    return next(name for number in count(2) if (name := f"{atom.name}{number}") not in atoms)


def _note_unseen(residue: gemmi.Residue, found: ReceptorResidue, book: Notebook) -> None:
    """Note atoms that were placed without density: their best location has no occupancy."""
    occupancy: dict[str, float] = {}
    for atom in residue:
        if not atom.is_hydrogen():
            occupancy[atom.name] = max(occupancy.get(atom.name, 0.0), atom.occ)
    if unseen := [name for name, best in occupancy.items() if best == 0]:
        book.change(found, "zero_occupancy", f"Placed without density (occupancy 0): {', '.join(unseen)}.")


def _best_altloc(residue: gemmi.Residue) -> str | None:
    occupancy: dict[str, float] = {}
    for atom in residue:
        if atom.altloc != "\0":
            occupancy[atom.altloc] = occupancy.get(atom.altloc, 0.0) + atom.occ
    if not occupancy:
        return None
    return max(sorted(occupancy), key=lambda label: occupancy[label])


def _stays(
    residue: ReceptorResidue, kind: GroupKind, options: ReceptorOptions, book: Notebook, *, is_attached: bool
) -> bool:
    """Decide about a hetero group and write the decision down."""
    decision, why = _decision(residue, kind, options, book, is_attached=is_attached)
    severity = Severity.INFO
    if not decision and kind in _KEPT_NEAR and book.site.is_within(residue, options.keep_within_angstrom):
        severity = Severity.WARNING
    action = "kept" if decision else "removed"
    book.note(residue, action, f"{kind.value.replace('_', ' ').capitalize()} {action}: {why}.", severity)
    return decision


def _decision(
    residue: ReceptorResidue, kind: GroupKind, options: ReceptorOptions, book: Notebook, *, is_attached: bool
) -> tuple[bool, str]:
    if any(selector in options.remove for selector in residue.selectors):
        return False, "the options say so"
    if any(selector in options.keep for selector in residue.selectors):
        return True, "the options say so"
    is_part = kind in _KEPT_NEAR or (kind is GroupKind.GLYCAN and is_attached)
    if not is_part:
        return False, "it is not part of the receptor unless the options keep it"
    if book.site.center is None:
        return True, "no site was given to judge it by"
    if kind is GroupKind.COFACTOR and _occupies_site(residue, book):
        return False, "it occupies the binding site; keep it by name if it belongs to the receptor"
    reach = options.keep_within_angstrom
    if book.site.is_within(residue, reach):
        return True, f"it is within {reach:g} Å of the site"
    return False, f"it is farther than {reach:g} Å from the site"


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
