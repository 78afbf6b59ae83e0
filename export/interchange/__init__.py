# SPDX-License-Identifier: Apache-2.0
"""The float network for other frameworks: ONNX, TFLite, and the proof that they compute the same."""
