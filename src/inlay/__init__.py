"""Inlay: a segmentation workbench around one type.

The public names load when they are first used, so that `import inlay` costs numpy and the kernels alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError, LossError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

if TYPE_CHECKING:
    from inlay.client import Client
    from inlay.formats import read, write
    from inlay.report import score
    from inlay.rules import check
    from inlay.training import predict, train

__version__ = "0.1.0"

_LAZY = {
    "Client": "inlay.client",
    "read": "inlay.formats",
    "write": "inlay.formats",
    "score": "inlay.report",
    "check": "inlay.rules",
    "train": "inlay.training",
    "predict": "inlay.training",
}

__all__ = [
    "Classes",
    "Client",
    "Dataset",
    "FormatError",
    "InlayError",
    "LossError",
    "Masks",
    "Sample",
    "SegmentClass",
    "Segmentation",
    "__version__",
    "check",
    "predict",
    "read",
    "score",
    "train",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'inlay' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
