# SPDX-License-Identifier: Apache-2.0
"""The Jinja environment of every template: what is undefined is an error, blocks leave no blank lines."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from dyncp.codegen.c.text import statement


@cache
def environment(folder: str) -> Environment:
    """For the templates of `folder`, one of codegen's: the same for all calls, for it keeps what it has compiled."""
    made = Environment(
        loader=PackageLoader("dyncp.codegen", folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.globals["statement"] = statement
    return made
