# SPDX-License-Identifier: Apache-2.0
"""`python -m dyncp`, and with it `torchrun … -m dyncp`."""

from dyncp.cli import app

app()
