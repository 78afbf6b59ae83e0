# SPDX-License-Identifier: Apache-2.0
"""`dyncp interchange`: the float network as ONNX, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dyncp.commands.shared.options import Checkpoint, Json, find_checkpoint
from dyncp.commands.shared.terminal import make_console

OFFLINE, STEP = "offline.onnx", "step.onnx"
# Two float32 evaluations of one network differ by rounding alone, and a score at 0 may then fall on either side.
LARGEST_DIFFERENCE, LARGEST_SHARE = 1e-3, 1e-4


def interchange(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Argument(help=f"Folder for {OFFLINE} and {STEP}.")],
    audio: Annotated[Path, typer.Option(help="Mono file of the network's rate on which torch and ONNX are compared.")],
    json_output: Json = False,
) -> None:
    """Export ONNX for whole recordings and for single frames, and compare both with torch (docs/interchange.md)."""
    import numpy as np

    from dyncp.base.audio import pad_to_hop, read_pcm
    from dyncp.base.errors import InterchangeError
    from dyncp.base.files import replace_folder
    from dyncp.base.files.outputs import check_own_folder
    from dyncp.export.integers.run import hops
    from dyncp.export.interchange.onnx_graph import offline_model, step_model
    from dyncp.export.interchange.onnx_run import agreement
    from dyncp.export.quantization.fold import fold
    from dyncp.export.transforms import stft
    from dyncp.train.network.checkpoint import load_checkpoint

    console = make_console(json_output=json_output)
    check_own_folder(out, {OFFLINE, STEP}, InterchangeError, {"the audio": audio})
    trained = load_checkpoint(find_checkpoint(checkpoint))
    network = trained.config.network
    heard = hops(pad_to_hop(read_pcm(audio, network.sample_rate), hop=network.hop), network.hop)
    features = stft.compress(stft.analyse(heard, network.framing), network.bands).astype(np.float32)
    folded = fold(trained)
    offline, step = offline_model(folded), step_model(folded)
    with console.status("comparing with torch"):
        found = agreement(trained.network, offline, step, features)
    console.print(
        f"{found.frames} frames, largest difference of the suppression mask from torch and differing mask bits of "
        f"{found.mask_bits}: offline {found.offline_difference:.1e}, {found.offline_bits}; "
        f"step by step {found.step_difference:.1e}, {found.step_bits}",
        highlight=False,
        soft_wrap=True,
    )
    worst, bits = max(found.offline_difference, found.step_difference), max(found.offline_bits, found.step_bits)
    if bits > LARGEST_SHARE * found.mask_bits or (bits == 0 and worst > LARGEST_DIFFERENCE):
        raise InterchangeError(f"{checkpoint}: its ONNX differs from torch by more than rounding; nothing was written")
    files = {OFFLINE: offline.SerializeToString(), STEP: step.SerializeToString()}
    replace_folder(out, files, {OFFLINE, STEP}, InterchangeError)
    console.print(f"{out}: {OFFLINE}, {STEP}", highlight=False)
    console.document(found)
