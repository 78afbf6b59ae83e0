# SPDX-License-Identifier: Apache-2.0
"""Models that refuse what they do not know, and the reading of one from TOML."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from dyncp.base.errors import ConfigError
from dyncp.base.files.reading import LARGEST_TOML, parse_toml, read_limited


class StrictModel(BaseModel):
    """Immutable; an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def without(defaults: dict[str, Any], dumped: dict[str, object]) -> dict[str, object]:
    """`dumped` without the fields that hold their default."""
    return {name: value for name, value in dumped.items() if name not in defaults or value != defaults[name]}


Model = TypeVar("Model", bound=StrictModel)


def parse(model: type[Model], data: object, source: str) -> Model:
    """Validate `data`, turning every complaint into one ConfigError that names file and field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'document'}: {e['msg']}{_known_fields(model, e)}"
            for e in error.errors()
        )
        raise ConfigError(f"{source}: {details}") from None


def _known_fields(model: type[BaseModel], error: ErrorDetails) -> str:
    """For an unknown field, the names that are known where it stands, the likeliest first."""
    if error["type"] != "extra_forbidden":
        return ""
    inner = model
    for part in error["loc"][:-1]:
        field = inner.model_fields.get(str(part))
        found = [] if field is None else _models(field.annotation)
        # In lists and unions, the place names an index or a class; the model stays that of the field.
        inner = found[0] if found else inner
    wanted, names = str(error["loc"][-1]), [f.alias or name for name, f in inner.model_fields.items()]
    close = get_close_matches(wanted, names, 1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f" ({guess}known are {', '.join(names)})"


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def read_toml(path: Path) -> dict[str, object]:
    """Raises ConfigError, naming the file, for what is no TOML, or more of it than any configuration needs."""
    return parse_toml(read_limited(path, LARGEST_TOML, ConfigError), path, ConfigError)
