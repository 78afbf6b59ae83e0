# SPDX-License-Identifier: Apache-2.0
"""The estimate of a Cortex-M4's cycles from counted instructions, and CMSIS-NN's counts to compare with."""
