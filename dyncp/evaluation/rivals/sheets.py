# SPDX-License-Identifier: Apache-2.0
"""The rivals' results as tables."""

from __future__ import annotations

from dyncp.evaluation.plotting.sheet import Sheet, number
from dyncp.evaluation.rivals.rivals import Cost, PitchRow, RivalRow, Rivals

COST = ("operations per frame", "which")


def rival_sheets(rivals: Rivals) -> list[Sheet]:
    """One table per kind of rival that was measured."""
    sheets = [_detectors(rivals.detectors), _pitch(rivals.pitch), _snr(rivals.snr)]
    return [sheet for sheet in sheets if sheet.rows]


def _detectors(rows: list[RivalRow]) -> Sheet:
    headers = ("voice activity", "accuracy", "balanced accuracy", "F1", "AUC", "fits best, frames late")
    cells = [
        (
            row.name,
            number(row.score.accuracy),
            number(row.score.balanced_accuracy),
            number(row.score.f1),
            number(row.score.auc),
            str(row.delay_frames),
            *_cost(row.cost),
        )
        for row in rows
    ]
    return Sheet("Voice activity against what people use today", (*headers, *COST), cells)


def _pitch(rows: list[PitchRow]) -> Sheet:
    headers = ("F0", "MAE, Hz", "RMSE, Hz", "R²", "missed", "gross errors", "false pitch")
    cells = [
        (
            row.name,
            number(row.score.mae, 1),
            number(row.score.rmse, 1),
            number(row.score.r2),
            number(row.missed),
            number(row.gross),
            number(row.false_voiced),
            *_cost(row.cost),
        )
        for row in rows
    ]
    return Sheet("Pitch against DIO and StoneMask", (*headers, *COST), cells)


def _snr(rows: list[RivalRow]) -> Sheet:
    headers = ("input SNR", "MAE, dB", "RMSE, dB", "R²")
    cells = [
        (
            row.name,
            number(row.score.mae, 2),
            number(row.score.rmse, 2),
            number(row.score.r2),
            *_cost(row.cost),
        )
        for row in rows
    ]
    return Sheet("Input SNR against noise trackers", (*headers, *COST), cells)


def _cost(cost: Cost) -> tuple[str, str]:
    return number(cost.operations, 0), cost.source
