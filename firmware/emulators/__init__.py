# SPDX-License-Identifier: Apache-2.0
"""Images run in QEMU, Unicorn or Renode, their instructions counted. QEMU's command line is in `emulate`."""
