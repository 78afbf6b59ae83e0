# SPDX-License-Identifier: Apache-2.0
"""`dyncp corpus`, `dyncp train`, `dyncp probe`: from recordings to a checkpoint with probes."""
