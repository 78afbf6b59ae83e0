# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`, `dyncp validate`, `dyncp report`, `dyncp enhance`: what needs a bundle and no torch."""
