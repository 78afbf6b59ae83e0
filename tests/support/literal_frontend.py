# SPDX-License-Identifier: Apache-2.0
"""Sections 3, 4 and 8 of docs/arithmetic.md in Python integers, one frame and one value at a time.

Shares nothing with `dyncp.export.transforms.frontend` but the constant tables. Every intermediate is checked to fit 32
bits.
"""

from __future__ import annotations

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.export.transforms import frontend

Complex = tuple[int, int]


def fits(v: int) -> int:
    assert -(2**31) <= v < 2**31, f"{v} does not fit 32 bits"
    return v


def rmul(a: int, m: int) -> int:
    assert -(2**30) < m < 2**30
    return fits((fits(a) * m + 2**30) >> 31)


class Literal:
    """One stream: `analyse` a hop, then `synthesise` it."""

    def __init__(self, framing: Framing = STANDARD) -> None:
        self.framing, self.points = framing, framing.fft // 2
        self.window: list[int] = frontend.window(framing).tolist()
        self.fading: list[int] = frontend.fading(framing).tolist()
        self.twiddle: list[list[int]] = frontend.twiddle(framing.fft).tolist()
        self.history = [0] * (framing.analysis - framing.hop)
        self.overlap = [0] * framing.delay

    def twist(self, q: Complex, k: int) -> Complex:
        if k == 0:
            return q[0] >> 1, q[1] >> 1
        wr, wi = self.twiddle[k]
        return fits(rmul(q[0], wr) - rmul(q[1], wi)), fits(rmul(q[0], wi) + rmul(q[1], wr))

    def transform(self, values: list[Complex]) -> list[Complex]:
        points = self.points
        bits = points.bit_length() - 1
        z = [values[int(f"{n:0{bits}b}"[::-1], 2)] for n in range(points)]
        h = 1
        while h < points:
            for g in range(0, points, 2 * h):
                for j in range(h):
                    p, q = z[g + j], z[g + j + h]
                    t = self.twist(q, j * (points // h))
                    z[g + j] = fits((p[0] >> 1) + t[0]), fits((p[1] >> 1) + t[1])
                    z[g + j + h] = fits((p[0] >> 1) - t[0]), fits((p[1] >> 1) - t[1])
            h *= 2
        return z

    def analyse(self, hop: list[int]) -> list[Complex]:
        points, framing = self.points, self.framing
        heard = self.history + hop
        self.history = heard[framing.hop :]
        u = [0] * (framing.fft - framing.analysis) + [s * w for s, w in zip(heard, self.window, strict=True)]
        z = self.transform([(u[2 * n], u[2 * n + 1]) for n in range(points)])
        x: list[Complex] = [(0, 0)] * (points + 1)
        for k in range(points // 2 + 1):
            a, b = z[k], (z[(points - k) % points][0], -z[(points - k) % points][1])
            e = fits((a[0] >> 1) + (b[0] >> 1)), fits((a[1] >> 1) + (b[1] >> 1))
            d = fits((a[0] >> 1) - (b[0] >> 1)), fits((a[1] >> 1) - (b[1] >> 1))
            t = self.twist((d[1], -d[0]), k)
            x[k] = fits((e[0] >> 1) + t[0]), fits((e[1] >> 1) + t[1])
            if k != points // 2:
                x[points - k] = fits((e[0] >> 1) - t[0]), fits(-((e[1] >> 1) - t[1]))
        x[0], x[points] = (x[0][0], 0), (x[points][0], 0)
        return x

    def synthesise(self, x: list[Complex], mask: list[int]) -> list[int]:
        points, framing = self.points, self.framing
        y = [(rmul(v[0], m << 15), rmul(v[1], m << 15)) for v, m in zip(x, mask, strict=True)]
        z: list[Complex] = [(0, 0)] * points
        for k in range(points // 2 + 1):
            a, b = y[k], (y[points - k][0], -y[points - k][1])
            e = fits(a[0] + b[0]), fits(a[1] + b[1])
            o = fits(a[0] - b[0]), fits(a[1] - b[1])
            turned = self.twist((o[0], -o[1]), k)
            t = turned[0], -turned[1]
            z[k] = fits((e[0] >> 1) - t[1]), fits((e[1] >> 1) + t[0])
            if k not in (0, points // 2):
                z[points - k] = fits((e[0] >> 1) + t[1]), fits(-((e[1] >> 1) - t[0]))
        swapped = self.transform([(im, re) for re, im in z])
        samples = [part for re, im in swapped for part in (im, re)][framing.fft - framing.synthesis :]
        o_n = [rmul(s, w << 15) for s, w in zip(samples, self.fading, strict=True)]
        total = [fits(a + b) for a, b in zip(self.overlap + [0] * framing.hop, o_n, strict=True)]
        self.overlap = total[framing.hop :]
        shift = {128: 6, 256: 5, 512: 4, 1024: 3}[framing.fft]
        return [max(-32768, min(32767, rmul(v, 2 ** (31 - shift)))) for v in total[: framing.hop]]
