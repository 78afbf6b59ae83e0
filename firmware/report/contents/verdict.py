# SPDX-License-Identifier: Apache-2.0
"""The verdict in words, for the page and the terminal."""

from __future__ import annotations

from dyncp.base.scores import Score
from dyncp.firmware.report.contents.schema import HostReport, Report, TargetReport


def headline(report: Report) -> str:
    """One line: cores, frames, mismatches."""
    verdict = report.verdict
    return (
        f"{_counted(verdict.cores, 'core')}, {_counted(verdict.frames, 'frame')}, "
        f"{_counted(verdict.mismatches, 'mismatch', 'mismatches')}"
    )


def failures(report: Report) -> list[str]:
    """What keeps the verdict from being good, one sentence for each engine."""
    found = [] if report.targets else ["No core was run."]
    engines: list[tuple[str, HostReport | TargetReport]] = [("host", report.host)]
    engines += [(target.name, target) for target in report.targets]
    for name, engine in engines:
        if engine.frames != report.verdict.frames:
            found.append(f"{name} ran {engine.frames:,} of {report.verdict.frames:,} frames.")
        if engine.mismatches:
            first = engine.first_divergence
            where = (
                f"; the first in frame {first.frame}, stage {first.stage}, channel {first.channel}: "
                f"expected {first.expected}, got {first.actual}"
                if first
                else ""
            )
            found.append(f"{name}: {_counted(engine.mismatches, 'word differs', 'words differ')}{where}.")
    found += [
        f"{name}: {_counted(engine.constructed_mismatches, 'word differs', 'words differ')} in constructed frames, "
        "which prove the constants that the audio did not read."
        for name, engine in engines
        if engine.constructed_mismatches
    ]
    found += [
        f"{target.name} miscounted its multiply–accumulates in {_counted(target.miscounted_frames, 'frame')}."
        for target in report.targets
        if target.miscounted_frames
    ]
    found += [
        f"{target.name}: {check.emulator} gives other words or instruction counts."
        for target in report.targets
        for check in target.cross_checks
        if not check.exact
    ]
    return found


def remark(score: Score) -> str:
    """What a reader should know of a poor score; nothing of a good one."""
    if score.r2 is not None:
        if score.r2 <= 0:
            return "poor: no better than always saying the mean"
        return "weak: explains less than a third" if score.r2 < 1 / 3 else ""
    if score.balanced_accuracy is not None and score.auc is not None and score.auc < 0.6:
        return "poor: hardly better than chance"
    if score.accuracy is not None and score.majority is not None and score.accuracy <= score.majority:
        return "weak: right no more often than always saying the commonest class"
    return ""


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
