# SPDX-License-Identifier: Apache-2.0
"""The command line. Each command lives in its own module and imports its heavy packages only when it runs."""

from __future__ import annotations

import logging
import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from dyncp.base.errors import DyncpError
from dyncp.base.version import __version__
from dyncp.commands import demo
from dyncp.commands.evaluation import evaluate
from dyncp.commands.exporting import export, interchange, tflite
from dyncp.commands.firmware import enhance, generate, listen, networks, page, report, validate
from dyncp.commands.fronts import front
from dyncp.commands.shared.terminal import set_quiet
from dyncp.commands.training import corpus, probe, train

# Packages that only some commands need, and the extra of pyproject.toml that brings each.
EXTRAS = {
    **dict.fromkeys(("joblib", "librosa", "pesq", "pystoi", "pyworld", "scipy", "sklearn"), "train"),
    **dict.fromkeys(("tensorboard", "tomli_w", "torch"), "train"),
    **dict.fromkeys(("onnx", "onnxruntime"), "interchange"),
    **dict.fromkeys(("silero_vad", "webrtcvad"), "benchmark"),
    **dict.fromkeys(("ai_edge_litert", "onnx2tf", "tensorflow", "tflite_micro"), "tflite"),
    "av": "demo",
    "pyroomacoustics": "rooms",
    "sounddevice": "listen",
}

# Plain help: it wraps at any width, where rich's table of six columns cuts options and their words at 80.
commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_show_locals=False)
for command in (
    corpus.corpus,
    train.train,
    export.export,
    probe.probe,
    evaluate.evaluate,
    front.front,
    networks.networks,
    generate.generate,
    validate.validate,
    report.report,
    page.page,
    enhance.enhance,
    listen.listen,
    interchange.interchange,
    tflite.tflite,
    demo.demo,
):
    # The whole first paragraph: click would cut it after a line.
    commands.command(short_help=(command.__doc__ or "").split("\n\n")[0])(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dyncp {__version__}")
        raise typer.Exit


@commands.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also log each compiler and emulator command before it runs.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no tables: only warnings, errors and --json.")
    ] = False,
) -> None:
    """Speech enhancement with dynamic channel pruning: train, quantize, generate C, prove it bit-exact, report."""
    if verbose and quiet:
        raise typer.BadParameter("--verbose and --quiet exclude each other")
    logging.getLogger("dyncp").setLevel(logging.INFO if verbose else logging.WARNING)
    set_quiet(quiet)


def app() -> None:
    """Entry point: a user's mistake ends in one message and exit status 1, never in a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        commands(prog_name="dyncp")
    except DyncpError as error:
        _fail(str(error))
    except OSError as error:
        # What no command foresaw: a disk that fills, a folder that vanishes, a pipe that closes.
        _fail(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRAS:
            raise
        extra = EXTRAS[error.name.split(".")[0]]
        _fail(f"this command needs {error.name}, which is in the extra `{extra}`: pip install 'dyncp[{extra}]'")


def _fail(message: str) -> NoReturn:
    Console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)
