# SPDX-License-Identifier: Apache-2.0
"""How good networks and probes are: everything that is measured, and nothing that is shipped to a device.

In: checkpoints, bundles, corpora. Out: result schemas, tables and figures. It may import every room of the pipeline;
of those, none imports it.
"""
