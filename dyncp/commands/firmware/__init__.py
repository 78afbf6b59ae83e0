# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`, `dyncp validate`, `dyncp report`, `dyncp enhance`: they need a bundle, but not torch."""
