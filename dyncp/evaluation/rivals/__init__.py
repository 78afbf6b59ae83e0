# SPDX-License-Identifier: Apache-2.0
"""The masks against what people use today, on the same audio and labels: voice activity, pitch, SNR."""
