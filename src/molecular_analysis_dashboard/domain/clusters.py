"""Grouping ligands that look alike, or bind alike."""

from collections.abc import Sequence


def tanimoto(first: int, second: int) -> float:
    """Similarity of two sets of bits; two empty sets are alike."""
    union = (first | second).bit_count()
    return (first & second).bit_count() / union if union else 1.0


def leader_clusters(fingerprints: Sequence[int], *, least_similarity: float) -> list[int]:
    """Return for each fingerprint the position of its cluster's leader.

    Sphere exclusion in the given order: the first that is not yet in a cluster leads a new one, and each joins the most
    similar leader of at least `least_similarity` (Taylor 1995, doi:10.1021/ci00023a009; with the best score first,
    each cluster is represented by its best ligand). No member is compared with anything but leaders, so two members of
    a cluster may be less alike than the limit.
    """
    leaders: list[int] = []
    found: list[int] = []
    for position, bits in enumerate(fingerprints):
        best = max(((tanimoto(bits, fingerprints[leader]), -leader) for leader in leaders), default=(-1.0, 0))
        if best[0] >= least_similarity:
            found.append(-best[1])
        else:
            leaders.append(position)
            found.append(position)
    return found


def as_bits(sets: Sequence[frozenset[str]]) -> list[int]:
    """Return sets of words as sets of bits; equal words are equal bits."""
    numbers = {word: number for number, word in enumerate(sorted(frozenset[str]().union(*sets)))}
    return [sum(1 << numbers[word] for word in words) for words in sets]
