# SPDX-License-Identifier: Apache-2.0
"""Which of a network's constants audio made a device read, and constructed frames that leave none unproved.

A constructed frame gives every layer an input of its own, on the trace points of docs/emitted-c.md, and forces the
masks. `plan` chooses the inputs so that a constant that is off by one shows; `expect` says what each stage must show.
"""
