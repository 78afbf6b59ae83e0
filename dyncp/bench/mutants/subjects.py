# SPDX-License-Identifier: Apache-2.0
"""Which files are mutated, and the fast tests that have to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A file below the checkout; the name under which it is imported, None for C; in Python, the tests of it.

    Of all tests that are collected, those notice a fault that run its line, whatever file they were named for.
    """

    path: str
    module: str | None
    tests: tuple[str, ...] = ()


def _python(path: str, *tests: str) -> Subject:
    return Subject(path, "dyncp." + path.removesuffix(".py").replace("/", "."), tests)


REFERENCE = "tests/reference"
SMOOTHING = "tests/kernels/test_smoothing.py"
CAP = "tests/kernels/test_cap_kernel.py"

SUBJECTS = (
    _python("export/integers/reference.py", REFERENCE),
    _python("export/integers/readout.py", REFERENCE, f"{SMOOTHING}::test_each_task_has_its_own_smoothing_and_period"),
    _python("export/integers/caps.py", REFERENCE, f"{CAP}::test_a_score_of_one_opens_and_none_does_not"),
    _python("export/integers/holding.py", REFERENCE),
    _python("export/integers/run.py", REFERENCE),
    _python("export/integers/signals.py", "tests/enhance/test_signals_csv.py"),
    _python("export/integers/truth.py", "tests/enhance/test_truth.py"),
    _python("export/formats/masks.py", REFERENCE),
    _python("export/formats/probe_set.py", "tests/bundle/test_bundle.py", REFERENCE),
    _python("export/quantization/probes.py", "tests/probes/test_probe_integers.py"),
    *(
        Subject(f"firmware/runtime/{name}", None)
        for name in (
            "dyncp_bands.h",
            "dyncp_controls.h",
            "dyncp_fft.h",
            "dyncp_flips.h",
            "dyncp_layers.h",
            "dyncp_masks.h",
            "dyncp_readout.h",
            "dyncp_rows.h",
            "dyncp_runtime.h",
            "portable/dyncp_butterfly.h",
            "portable/dyncp_fft_scalar.h",
            "portable/dyncp_portable.h",
            "portable/dyncp_silence.h",
            "dsp/dyncp_dsp.h",
            "dsp/dyncp_dsp_channels.h",
            "dsp/dyncp_dsp_pairs.h",
            "dsp/dyncp_simd.h",
        )
    ),
)
