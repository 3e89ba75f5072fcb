"""A program that passes for AutoGrid: maps of the box that it is asked for, the same bowl for every type."""

import itertools
import sys
from pathlib import Path

_DEPTH_KCAL_MOL, _PER_SQUARE_ANGSTROM = -1.0, 0.02


def main() -> None:
    if "--version" in sys.argv:
        sys.stdout.write("AutoGrid 4.2.6\n")
        return
    fields: dict[str, list[str]] = {}
    for line in Path(sys.argv[sys.argv.index("-p") + 1]).read_text().splitlines():
        name, *values = line.split()
        fields.setdefault(name, []).extend(values)
    spacing, intervals = float(fields["spacing"][0]), [int(number) for number in fields["npts"]]
    header = (
        f"GRID_PARAMETER_FILE maps.gpf\nGRID_DATA_FILE {fields['gridfld'][0]}\nMACROMOLECULE {fields['receptor'][0]}\n"
        f"SPACING {spacing}\nNELEMENTS {' '.join(fields['npts'])}\nCENTER {' '.join(fields['gridcenter'])}\n"
    )
    squares = [[((step - n / 2) * spacing) ** 2 for step in range(n + 1)] for n in intervals]
    # The first axis runs fastest.
    bowl = "".join(
        f"{_DEPTH_KCAL_MOL + _PER_SQUARE_ANGSTROM * (x + y + z):.3f}\n" for z, y, x in itertools.product(*squares[::-1])
    )
    for name in fields["map"]:
        Path(name).write_text(header + bowl)
    for name in (*fields["elecmap"], *fields["dsolvmap"]):
        Path(name).write_text(header + "0.000\n" * bowl.count("\n"))


if __name__ == "__main__":
    main()
