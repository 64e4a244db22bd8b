"""The one extension mechanism: a module is a plugin, and its file name is its name.

Only modules are plugins; folders below a package of plugins hold what serves them.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch.nn import Module

    from inlay.core.classes import Classes
    from inlay.core.dataset import Dataset
    from inlay.core.segmentation import Segmentation
    from inlay.models.parts.targets import Facts

_loose: dict[tuple[str, str], Path] = {}


class Format(Protocol):
    """A module of `inlay.formats`: recognises, reads and writes one kind of label file or folder.

    A format with polygons also has `READERS`, the names of the tools it can write for (the usual one first),
    and takes `reader=` in `read` and `write`: whose rule fills the polygons. One that needs a library of an
    extra names its module in `LIBRARY`.
    """

    KEEPS: frozenset[str]  # of the names in `inlay.formats.parts.facts`

    def sniff(self, path: Path) -> bool:
        """Whether the file or folder looks like this format; reads little, never raises on foreign files."""

    def read(self, path: Path, *, like: Dataset | None = None) -> Dataset:
        """The dataset, lazily; `like` gives classes, names and sizes to files that hold none."""

    def write(self, dataset: Dataset, path: Path) -> None:
        """Write what `KEEPS` says to a path where nothing lies yet; its parent exists.

        `inlay.formats.write` has refused or accepted the rest, and moves the complete output to its place.
        """


class Metric(Protocol):
    """A module of `inlay.metrics`: counts one sample, scores all counts.

    It may have more, used where it is found: `resampled(counts, classes, weights)` gives the (B,) figures
    when samples count `weights` (B, N) times, for fast intervals; `details(counts, classes)` gives
    `inlay.metrics.parts.result.Details`: figures of each sample, confusion table, kinds of error;
    `join(counts)` makes one count of the frames of a sequence, in order, and what is scored then are
    sequences; `UNITS` names the figures that are no shares of 1, and what they are counted in;
    `LIKE` holds by the name of another tool a `count` with the known faults of that tool.
    """

    def count(self, truth: Segmentation, prediction: Segmentation) -> Any:
        """What one sample contributes: a frozen dataclass of arrays. Both sides have the same classes."""

    def score(self, counts: Iterable[Any], classes: Classes) -> dict[str, float]:
        """Figures of all samples by name, the most telling first; of one class as "figure/class"."""


class Model(Protocol):
    """A module of `inlay.models`: a family of networks.

    The network that `build` gives has `forward(images)`, from (B, 3, H, W) pixels 0 .. 255 of any size to
    raw tensors, without a branch on values, so that it exports; `loss(raw, targets)`, named scalars of a
    batch of `inlay.models.parts.targets.Target`; `decode(raw, sizes, *, minimum_score)`, a `Segmentation`
    for each image.

    A family that learns from boxes and from points as well as from whole masks has `PARTIAL = True`; one
    that does not name it is given whole masks only, or pixels of classes.
    """

    TASK: str  # "semantic", "instance", "panoptic", or "any": by its settings and the kinds of the classes
    RECIPE: Mapping[str, Any]  # what the settings of its training start from, where not the usual
    Config: type[Any]  # a frozen dataclass whose fields have defaults and are documented

    def adapt(self, config: Any, facts: Facts) -> Any:
        """The config with everything filled in that depends on the data."""

    def build(self, config: Any, classes: Classes) -> Module:
        """A network with fresh weights."""


class Scene(Protocol):
    """A module of `inlay.scenes`: renders pictures and their exact truth."""

    CLASSES: Classes
    VIDEO: bool  # whether the frames of one seed show one place as time goes by

    def draw(
        self, seed: tuple[int, int], size: tuple[int, int], *, frame: int = 0
    ) -> tuple[NDArray[np.uint8], Segmentation]:
        """(H, W, 3) pixels and their segmentation; `seed` is that of the dataset, and the place in it."""


def names(kind: str) -> list[str]:
    """Sorted names of all plugins of a kind ("formats", "metrics", "models", ...)."""
    return sorted({*_own(kind), *_foreign(kind), *(name for of, name in _loose if of == kind)})


@cache
def _own(kind: str) -> frozenset[str]:
    package = importlib.import_module(f"inlay.{kind}")
    return frozenset(item.name for item in pkgutil.iter_modules(package.__path__) if not item.ispkg)


@cache
def _foreign(kind: str) -> dict[str, EntryPoint]:
    """Entry points by name; asked for once, since reading what is installed takes 40 ms."""
    return {point.name: point for point in entry_points(group=f"inlay.{kind}")}


def add_file(kind: str, path: Path) -> str:
    """Make a loose Python file a plugin of this process, as `--plugin file.py` does; returns its name."""
    if not path.is_file():
        raise InlayError(f"{path}: there is no such plugin file")
    _loose[kind, path.stem] = path
    return path.stem


def load(kind: str, name: str) -> ModuleType:
    """The module of a plugin.

    Raises
    ------
    InlayError
        Naming the nearest plugin when there is none of that name.
    """
    if (kind, name) in _loose:
        return _load_file(f"inlay_plugin_{kind}_{name}", _loose[kind, name])
    if name in _foreign(kind):
        module: ModuleType = _foreign(kind)[name].load()
        return module
    if name not in _own(kind):
        near = difflib.get_close_matches(name, names(kind), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names(kind))}"
        raise InlayError(f"there is no {kind.removesuffix('s')} {name!r}; {hint}")
    return importlib.import_module(f"inlay.{kind}.{name}")


def _load_file(module_name: str, path: Path) -> ModuleType:
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InlayError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module
