# SPDX-License-Identifier: Apache-2.0
"""What CMSIS-NN takes, to compare with: executed instructions per multiply–accumulate of one time step.

Counted once, exactly, with CMSIS-NN's int8 kernels built at -O3 (arm-none-eabi-gcc) and run in QEMU, on 2026-11-23;
which release of CMSIS-NN it was has not been noted. Constants here, which nothing in this project remakes.
"""

from __future__ import annotations

CORES = ("cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")

# fully_connected_s8 128→128, 257→128 and 128→257; depthwise convolution of kernel 3 on 128 channels.
FULLY_CONNECTED = dict(zip(CORES, (3.67, 2.27, 2.27, 2.27, 0.58), strict=True))
FULLY_CONNECTED_WIDE = dict(zip(CORES, (3.52, 2.09, 2.09, 2.10, 0.55), strict=True))
FULLY_CONNECTED_TALL = dict(zip(CORES, (3.65, 2.27, 2.27, 2.27, 0.57), strict=True))
DEPTHWISE = dict(zip(CORES, (57.1, 22.6, 22.1, 22.6, 7.3), strict=True))

# Element-wise addition, per element.
ADD = dict(zip(CORES, (84.7, 82.0, 81.6, 83.4, 14.5), strict=True))

KERNELS = {
    "front": FULLY_CONNECTED_WIDE,
    "gate": FULLY_CONNECTED,
    "score": FULLY_CONNECTED,
    "expand": FULLY_CONNECTED,
    "depthwise": DEPTHWISE,
    "project": FULLY_CONNECTED,
    "back": FULLY_CONNECTED_TALL,
}
"""By kernel (firmware/bench/bench.py), that of CMSIS-NN that lies closest."""
