# SPDX-License-Identifier: Apache-2.0
"""The Jinja environment of the page's templates: what is undefined is an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str) -> Template:
    """HTML is escaped, C is not."""
    environment = Environment(
        loader=PackageLoader("dyncp.firmware.page", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=name.endswith(".html.j2"),
    )
    return environment.get_template(name)
