"""Why an input record or a ligand has no docking score: reason codes with a sentence each."""

from enum import StrEnum


class RejectionReason(StrEnum):
    """Stable codes; `SENTENCES` holds what the user reads."""

    UNREADABLE_RECORD = "unreadable_record"
    EMPTY = "empty"
    VALENCE = "valence"
    NO_ORGANIC_FRAGMENT = "no_organic_fragment"
    MIXTURE = "mixture"
    RADICAL = "radical"
    UNSUPPORTED_ELEMENT = "unsupported_element"
    TOO_LARGE = "too_large"
    TOO_MANY_TORSIONS = "too_many_torsions"
    UNDEFINED_STEREO = "undefined_stereo"
    EMBEDDING_FAILED = "embedding_failed"
    PREPARATION_FAILED = "preparation_failed"
    OUTSIDE_BOX = "outside_box"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_CRASH = "engine_crash"
    NO_POSE = "no_pose"
    DUPLICATE = "duplicate"


SENTENCES: dict[RejectionReason, str] = {
    RejectionReason.UNREADABLE_RECORD: "The record could not be read as a molecule.",
    RejectionReason.EMPTY: "The record holds no atoms.",
    RejectionReason.VALENCE: "An atom has more bonds than its element allows.",
    RejectionReason.NO_ORGANIC_FRAGMENT: "No fragment with carbon is left after salts and solvents are removed.",
    RejectionReason.MIXTURE: "The record is a mixture: more than one of its molecules may be the compound.",
    RejectionReason.RADICAL: "An atom has an open valence: hydrogens or bonds are missing.",
    RejectionReason.UNSUPPORTED_ELEMENT: "The scoring function has no parameters for one of the elements.",
    RejectionReason.TOO_LARGE: "The molecule has more heavy atoms than the limit.",
    RejectionReason.TOO_MANY_TORSIONS: "The molecule has more rotatable bonds than the protocol allows.",
    RejectionReason.UNDEFINED_STEREO: "A stereocentre is undefined and the protocol refuses that.",
    RejectionReason.EMBEDDING_FAILED: "No three-dimensional conformer could be generated.",
    RejectionReason.PREPARATION_FAILED: "The ligand could not be prepared for docking.",
    RejectionReason.OUTSIDE_BOX: "The ligand does not fit into the search box.",
    RejectionReason.TIMEOUT: "Docking alone in its own process took longer than the limit, twice.",
    RejectionReason.OUT_OF_MEMORY: "Docking alone in its own process needed more memory than the limit, twice.",
    RejectionReason.ENGINE_CRASH: "The docking engine ended on this ligand, twice, when run alone.",
    RejectionReason.NO_POSE: "The search found no pose worth keeping.",
    RejectionReason.DUPLICATE: "The same molecule came earlier in this library; that one is kept.",
}


class LigandRejected(Exception):
    """Raised by chemistry when one molecule cannot go on; it becomes a row, never a failed job."""

    def __init__(self, reason: RejectionReason, detail: str = "") -> None:
        self.reason = reason
        self.message = f"{SENTENCES[reason]} {detail}".strip()
        super().__init__(self.message)
