"""`inlay models`: what can be trained, and what can be set."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from inlay import plugins

if TYPE_CHECKING:
    from rich.table import Table


def models(name: str | None = None, /) -> int:
    """List the model families; with a name, what can be set in that one and in its training.

    Example: `inlay models` or `inlay models unet`

    Parameters
    ----------
    name
        A family.
    """
    from rich.console import Console

    console = Console()
    if name is None:
        console.print(_families())
        words = "What can be set in one of them: `inlay models NAME`"
    else:
        from inlay.training.config import default_config

        config = default_config(name)
        console.print((plugins.load("models", name).__doc__ or "").strip(), highlight=False, markup=False)
        console.print(_settings({name: config.family, "training": config.training}))
        words = (
            f"Set them with `inlay train DATA --model {name} --set training.batch=4`, or in the tables "
            f"[{name}] and [training] of a TOML file for --config."
        )
    console.print(f"\n{words}", style="dim", markup=False, highlight=False)
    return 0


def _families() -> Table:
    from rich.table import Table

    table = Table("model", "answers", "what it is", box=None, pad_edge=False)
    for each in plugins.names("models"):
        module = plugins.load("models", each)
        words = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        table.add_row(each, module.TASK, words)
    return table


def _settings(parts: dict[str, Any]) -> Table:
    """Each setting with its default and its meaning, those of a part within a part under its name."""
    from rich.markup import escape
    from rich.table import Table

    from inlay.models.parts.settings import settings_of
    from inlay.training.config import literal

    table = Table("\nsetting", "\ndefault", "\nmeaning", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    while parts:
        where, config = next(iter(parts.items()))
        del parts[where]
        for each in settings_of(config):
            if dataclasses.is_dataclass(each.value):
                parts[f"{where}.{each.name}"] = each.value
                continue
            default = "" if each.value is None else literal(each.value)
            table.add_row(f"{where}.{each.name}", escape(default), escape(each.meaning))
    return table
