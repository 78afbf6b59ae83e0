# SPDX-License-Identifier: Apache-2.0
"""What training minimises: spectra, PESQ's and ESTOI's relatives, utilization, read-outs of the masks."""
