# SPDX-License-Identifier: Apache-2.0
"""Sections 3, 4 and 8 of docs/arithmetic.md in Python integers, one frame and one value at a time.

Shares nothing with `dyncp.export.transforms.frontend` but the constant tables. Every intermediate is checked to fit 32
bits.
"""

from __future__ import annotations

from dyncp.export.transforms import frontend

Complex = tuple[int, int]

WINDOW: list[int] = frontend.window().tolist()
TWIDDLE: list[list[int]] = frontend.twiddle().tolist()


def fits(v: int) -> int:
    assert -(2**31) <= v < 2**31, f"{v} does not fit 32 bits"
    return v


def rmul(a: int, m: int) -> int:
    assert -(2**30) < m < 2**30
    return fits((fits(a) * m + 2**30) >> 31)


def twist(q: Complex, k: int) -> Complex:
    if k == 0:
        return q[0] >> 1, q[1] >> 1
    wr, wi = TWIDDLE[k]
    return fits(rmul(q[0], wr) - rmul(q[1], wi)), fits(rmul(q[0], wi) + rmul(q[1], wr))


def fft256(values: list[Complex]) -> list[Complex]:
    z = [values[int(f"{n:08b}"[::-1], 2)] for n in range(256)]
    h = 1
    while h <= 128:
        for g in range(0, 256, 2 * h):
            for j in range(h):
                p, q = z[g + j], z[g + j + h]
                t = twist(q, j * (256 // h))
                z[g + j] = fits((p[0] >> 1) + t[0]), fits((p[1] >> 1) + t[1])
                z[g + j + h] = fits((p[0] >> 1) - t[0]), fits((p[1] >> 1) - t[1])
        h *= 2
    return z


class Literal:
    """One stream: `analyse` a hop, then `synthesise` it."""

    def __init__(self) -> None:
        self.history = [0] * 256
        self.overlap = [0] * 256

    def analyse(self, hop: list[int]) -> list[Complex]:
        u = [s * w for s, w in zip(self.history + hop, WINDOW, strict=True)]
        self.history = hop
        z = fft256([(u[2 * n], u[2 * n + 1]) for n in range(256)])
        x: list[Complex] = [(0, 0)] * 257
        for k in range(129):
            a, b = z[k], (z[(256 - k) % 256][0], -z[(256 - k) % 256][1])
            e = fits((a[0] >> 1) + (b[0] >> 1)), fits((a[1] >> 1) + (b[1] >> 1))
            d = fits((a[0] >> 1) - (b[0] >> 1)), fits((a[1] >> 1) - (b[1] >> 1))
            t = twist((d[1], -d[0]), k)
            x[k] = fits((e[0] >> 1) + t[0]), fits((e[1] >> 1) + t[1])
            if k != 128:
                x[256 - k] = fits((e[0] >> 1) - t[0]), fits(-((e[1] >> 1) - t[1]))
        x[0], x[256] = (x[0][0], 0), (x[256][0], 0)
        return x

    def synthesise(self, x: list[Complex], mask: list[int]) -> list[int]:
        y = [(rmul(v[0], m << 15), rmul(v[1], m << 15)) for v, m in zip(x, mask, strict=True)]
        z: list[Complex] = [(0, 0)] * 256
        for k in range(129):
            a, b = y[k], (y[256 - k][0], -y[256 - k][1])
            e = fits(a[0] + b[0]), fits(a[1] + b[1])
            o = fits(a[0] - b[0]), fits(a[1] - b[1])
            turned = twist((o[0], -o[1]), k)
            t = turned[0], -turned[1]
            z[k] = fits((e[0] >> 1) - t[1]), fits((e[1] >> 1) + t[0])
            if k not in (0, 128):
                z[256 - k] = fits((e[0] >> 1) + t[1]), fits(-((e[1] >> 1) - t[0]))
        swapped = fft256([(im, re) for re, im in z])
        samples = [part for re, im in swapped for part in (im, re)]
        o_n = [rmul(s, w << 15) for s, w in zip(samples, WINDOW, strict=True)]
        total = [fits(self.overlap[n] + o_n[n]) for n in range(256)]
        self.overlap = o_n[256:]
        return [max(-32768, min(32767, rmul(v, 2**27))) for v in total]
