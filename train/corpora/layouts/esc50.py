# SPDX-License-Identifier: Apache-2.0
"""ESC-50 (Piczak, 2015; 44.1 kHz) as its repository has it: `meta/esc50.csv` and `audio/1-100032-A-0.wav` …

The table's columns are filename, fold, target, category, esc10, src_file and take. Clips of one Freesound recording
(`src_file`) lie in one fold; folds 1 to 3 are for training, 4 for validation, 5 for test. The set is under CC BY-NC,
its part ESC-10 under CC BY.
"""

from __future__ import annotations

from pathlib import Path

from dyncp.train.corpora.layouts.rows import Row, read_rows
from dyncp.train.corpora.recordings import Recording, Split
from dyncp.train.corpora.splits import published_split

TABLE = Path("meta", "esc50.csv")
FOLDS: dict[str, Split] = {"1": "train", "2": "train", "3": "train", "4": "validation", "5": "test"}
LICENSES = {"true": "CC BY 3.0", "false": "CC BY-NC 3.0"}


def is_esc50(folder: Path) -> bool:
    return (folder / TABLE).is_file()


def read_esc50(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Noise alone, of those clips that are at hand. Raises ConfigError naming the table, the line and the column."""
    rows = read_rows(folder / TABLE, ("filename", "fold", "category", "esc10", "src_file"))
    found = [(row, folder / "audio" / row.filled("filename")) for row in rows]
    found = [(row, path) for row, path in found if path.is_file()]
    present = {row.one_of("fold", FOLDS) for row, _ in found}
    return [], [_recording(row, path, present) for row, path in found]


def _recording(row: Row, path: Path, present: set[Split]) -> Recording:
    group = f"freesound {row.filled('src_file')}"
    split = published_split(row.one_of("fold", FOLDS), group, present)
    license_name = row.one_of("esc10", LICENSES)
    return Recording(path, group, license_name, category=row.filled("category"), fixed_split=split, origin=row.place)
