# SPDX-License-Identifier: Apache-2.0
"""The float network for other frameworks: ONNX and TFLite, each compared with the original."""
