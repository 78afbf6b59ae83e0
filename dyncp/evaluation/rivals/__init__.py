# SPDX-License-Identifier: Apache-2.0
"""Probes on masks compared with today's detectors on the same audio and labels: voice activity, pitch, SNR."""
