"""Bonds between residues, by distance: chains, disulfides, glycans, covalent ligands, isopeptides."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from molecular_analysis_dashboard.adapters.chemistry.close_contacts import Contact, contacts_within, element
from molecular_analysis_dashboard.adapters.chemistry.receptor_model import Notebook, ReceptorAtom, ReceptorResidue

# Beyond the sum of covalent radii (Cordero 2008, as gemmi tabulates them); hydrogen bonds are 0.9 Å beyond it.
_TOLERANCE_ANGSTROM = 0.3
_LONGEST_BOND_ANGSTROM = 2.6
# Nearer than any bond between heavy atoms: atoms that overlap, not a bond.
_OVERLAP_ANGSTROM = 1.1
# The strongest hydrogen bonds have 2.4 Å between heavy atoms.
_CLASH_ANGSTROM = 2.1


@dataclass(frozen=True)
class Link:
    """A bond from an atom of one residue to an atom of another.

    Parameters
    ----------
    atom : str
        Name of the residue's own atom.
    partner : ReceptorResidue
        The residue at the other end.
    partner_atom : ReceptorAtom
        The atom at the other end.
    """

    atom: str
    partner: ReceptorResidue
    partner_atom: ReceptorAtom


# By the label of the residue.
Links = Mapping[str, Sequence[Link]]


def links_between(residues: Sequence[ReceptorResidue]) -> dict[str, list[Link]]:
    """Return the bonds of each residue to others; metals and single atoms, such as waters, have none."""
    # One atom alone may be a residue only as the amide at the end of a chain.
    bonding = [residue for residue in residues if len(residue.atoms) > 1 or residue.name == "NH2"]
    links: dict[str, list[Link]] = {}
    for contact in contacts_within(bonding, _LONGEST_BOND_ANGSTROM):
        if _bonded(contact):
            link = Link(contact.atom.name, contact.other_residue, contact.other_atom)
            links.setdefault(contact.residue.label, []).append(link)
    return links


def without_partners(links: Links, gone: Set[str]) -> dict[str, list[Link]]:
    """Return the bonds but for those to residues of these labels."""
    return {label: [link for link in own if link.partner.label not in gone] for label, own in links.items()}


def note_overlaps(residues: Sequence[ReceptorResidue], links: Links, book: Notebook) -> None:
    """Note pairs of residues of which atoms are nearer to each other than any contact, though no bond joins these."""
    told: set[frozenset[str]] = set()
    for contact in contacts_within(residues, _CLASH_ANGSTROM):
        first, second = contact.residue, contact.other_residue
        pair = frozenset((first.label, second.label))
        if pair in told or any(_is(link, contact) for link in links.get(first.label, ())):
            continue
        told.add(pair)
        book.change(
            first,
            "overlap",
            f"Its {contact.atom.name} is {contact.distance_angstrom:.1f} Å from {contact.other_atom.name} of "
            f"{second.label}: one of them is misplaced, rebuilt without room, or at another location.",
        )


def attached_to(residues: Sequence[ReceptorResidue], links: Links) -> set[str]:
    """Return the labels of these residues and of all that hang on them, directly or through others."""
    reached = {residue.label for residue in residues}
    fresh = list(reached)
    while fresh:
        for link in links.get(fresh.pop(), ()):
            if link.partner.label not in reached:
                reached.add(link.partner.label)
                fresh.append(link.partner.label)
    return reached


def _is(link: Link, contact: Contact) -> bool:
    ends = link.atom, link.partner.label, link.partner_atom.name
    return ends == (contact.atom.name, contact.other_residue.label, contact.other_atom.name)


def _bonded(contact: Contact) -> bool:
    one, other = element(contact.atom.element), element(contact.other_atom.element)
    reach = one.covalent_r + other.covalent_r + _TOLERANCE_ANGSTROM
    return _OVERLAP_ANGSTROM <= contact.distance_angstrom <= reach
