# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause; everything else is a bug."""

from __future__ import annotations


class DyncpError(Exception):
    """A problem with the user's input. The message names the file, the field and the remedy."""


class ConfigError(DyncpError):
    """A configuration (TOML) that is unknown, incomplete or out of range."""


class AudioError(DyncpError):
    """Audio of the wrong rate, channel count, length or content."""


class NoAudioError(AudioError):
    """A file with the name of audio that holds none: no samples, or something else."""


class NoSpeechError(AudioError):
    """Audio in which a metric finds no speech, or too little of it to score."""


class OutputError(DyncpError):
    """A file or folder that cannot be written, or that is not this command's to write."""


class CheckpointError(DyncpError):
    """A checkpoint folder that is truncated, altered or of an unknown schema."""


class DivergenceError(DyncpError):
    """A training whose loss, gradients or weights are no longer finite."""


class ProbeError(DyncpError):
    """Audio from which a probe cannot be fitted."""


class BundleError(DyncpError):
    """A quantized bundle that is truncated, altered or of an unknown schema."""


class QuantizationError(DyncpError):
    """A network that cannot be expressed in the arithmetic of docs/arithmetic.md."""


class InterchangeError(DyncpError):
    """A network that a format of others cannot hold, or a converter that fails."""


class GenerationError(DyncpError):
    """A library that cannot be generated as asked, for example a prefix that is no C identifier."""


class ToolchainError(DyncpError):
    """A compiler or emulator that is missing, fails, hangs or crashes."""


class ReportError(DyncpError):
    """A validation folder or quality record that is incomplete, altered or belongs to another bundle."""
