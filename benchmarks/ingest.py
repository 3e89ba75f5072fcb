"""What validating a library costs beside the three RDKit calls it cannot do without.

Prints, for SMILES of `MAD_BENCHMARK_DATA/library`, ligands a second and the ratio of the bare calls (parse, canonical
SMILES, InChIKey) to the whole validation, both in CPU time of the same run. The ratio is the figure that counts: at
least 0.75 on uncharged molecules. Charged ones cost more, because their neutral form has to be found.
"""

import gzip
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from rdkit import Chem

from molecular_analysis_dashboard.adapters.chemistry.validation import validate_batch
from molecular_analysis_dashboard.domain.ligands import LigandRecord

LIBRARIES = ("set_A_100k.smi.gz", "zinc_druglike_10k.smi.gz")
RECORDS, ROUNDS = 2000, 3
TARGET = 0.75


def main() -> None:
    """Measure each library alternately, so that a busy machine burdens both sides alike."""
    if "MAD_BENCHMARK_DATA" not in os.environ:
        sys.exit("Set MAD_BENCHMARK_DATA to the folder with the benchmark data.")
    folder = Path(os.environ["MAD_BENCHMARK_DATA"]) / "library"
    for name in LIBRARIES:
        records = _records(folder / name)
        validate_batch(records[:100])
        bare_s = whole_s = 0.0
        for _ in range(ROUNDS):
            bare_s += _cpu_s(_bare, records)
            whole_s += _cpu_s(validate_batch, records)
        charged = sum("+" in record.text or "-]" in record.text for record in records) / len(records)
        per_second = ROUNDS * len(records) / whole_s
        print(
            f"{name}: {per_second:,.0f} ligands/CPU s, bare/validated {bare_s / whole_s:.2f} "
            f"(target {TARGET} for uncharged), {charged:.0%} charged"
        )


def _records(path: Path) -> list[LigandRecord]:
    with gzip.open(path, "rt") as lines:
        fields = [line.split() for line in islice(lines, 1, RECORDS + 1)]
    return [LigandRecord(line, found[0], "smiles", found[1]) for line, found in enumerate(fields, 2)]


def _bare(records: Sequence[LigandRecord]) -> None:
    for record in records:
        mol = Chem.MolFromSmiles(record.text)
        Chem.MolToSmiles(mol)
        Chem.MolToInchiKey(mol)  # type: ignore[no-untyped-call]  # RDKit leaves it untyped


def _cpu_s(work: Callable[[Sequence[LigandRecord]], object], records: Sequence[LigandRecord]) -> float:
    started = time.process_time()
    work(records)
    return time.process_time() - started


if __name__ == "__main__":
    main()
