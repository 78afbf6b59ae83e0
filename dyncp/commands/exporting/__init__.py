# SPDX-License-Identifier: Apache-2.0
"""`dyncp export`, `dyncp interchange`, `dyncp tflite`: a checkpoint as integers, or for other frameworks."""
