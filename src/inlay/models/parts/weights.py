"""Files of tensors, read without ever running code from them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from inlay.core.errors import FormatError


def read_plain(path: Path) -> Any:
    """The tensors, numbers, strings and containers of them that a torch or safetensors file holds.

    Raises
    ------
    FormatError
        When the file is missing or broken, or holds anything else.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FormatError(path, "", "there is no such file of weights") from None
    except Exception as error:  # torch and safetensors raise a dozen kinds for broken files
        if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
            raise FormatError(
                path, "", "holds more than plain data, and is not loaded: it may run code"
            ) from None
        first = str(error).split("\n")[0][:200]
        raise FormatError(
            path, "", f"broken, or no file of weights ({type(error).__name__}: {first})"
        ) from None
