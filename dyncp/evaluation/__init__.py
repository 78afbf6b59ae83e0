# SPDX-License-Identifier: Apache-2.0
"""How good networks and probes are: everything that measures, and nothing that runs on a device.

In: checkpoints, bundles, corpora. Out: result schemas, tables and figures. It may import every room of the pipeline;
none of them imports it.
"""
