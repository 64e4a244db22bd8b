"""Folders of pretrained networks, as transformers writes them: read without running code from them.

The network is asked only for a name that begins with "hub:", and then for plain files alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError, InlayError, MissingExtraError

HUB = "hub:"
WANTED = ("*.json", "*.safetensors", "*.onnx", "merges.txt", "vocab.txt")  # never *.py, never pickles
PIECES, PIECE = 64, 1 << 16  # of a file of weights that its fingerprint looks at


def is_hub(where: Path | str) -> bool:
    """Whether this names one of the Hugging Face hub: "hub:OWNER/NAME" or "hub:OWNER/NAME@REVISION"."""
    return str(where).startswith(HUB)


def folder_of(where: Path | str) -> Path:
    """The folder on this machine; of a hub name it is fetched first, or found where it was fetched before.

    Raises
    ------
    InlayError
        When a hub name is none, or cannot be fetched.
    """
    if not is_hub(where):
        return Path(where)
    name, _, revision = str(where).removeprefix(HUB).partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise InlayError(f"{where}: a name on the hub is hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError:
        raise MissingExtraError("huggingface_hub", "pretrained") from None
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(WANTED)))
    except Exception as error:  # of requests, of the hub, of the disk: a dozen kinds
        raise InlayError(f"{where}: cannot be fetched ({_first_line(error)})") from None


def read_config(folder: Path) -> dict[str, Any]:
    """What `config.json` says.

    Raises
    ------
    FormatError
        When it is missing, no JSON object, does not name the kind of network, or asks for code of its own.
    """
    path = folder / "config.json"
    config = read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise FormatError(path, "model_type", "is missing: it names the kind of network")
    if "auto_map" in config:
        raise FormatError(
            path, "auto_map", "the network comes with code of its own, which is never run: use another"
        )
    return config


def read_json(path: Path) -> dict[str, Any]:
    """A file that holds one JSON object.

    Raises
    ------
    FormatError
        When it is missing or holds anything else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise FormatError(path, "", "there is no such file: the folder is not whole") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(path, "", f"not JSON ({error})") from None
    if not isinstance(found, dict):
        raise FormatError(path, "", f"holds a {type(found).__name__}, not a JSON object")
    return found


def load_network(folder: Path, class_name: str) -> Any:
    """A network of transformers with the weights of a folder, ready to predict.

    Raises
    ------
    MissingExtraError
        When transformers is not installed.
    FormatError
        When the weights are missing, broken, not all there, or hold more than tensors.
    """
    kind = getattr(transformers(), class_name)
    try:
        with _quiet():
            network, told = kind.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
            )
    except Exception as error:  # of transformers, safetensors, torch and pickle: a dozen kinds
        raise FormatError(folder, "", f"cannot be read as {class_name} ({_first_line(error)})") from None
    if told["missing_keys"]:
        first = min(told["missing_keys"])
        raise FormatError(
            folder, first, f"the tensor is missing, with {len(told['missing_keys']) - 1} others: not whole"
        )
    return network.eval()


def transformers() -> Any:
    """The module.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import transformers as module
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "transformers", "pretrained") from None
    return module


def fingerprint(folder: Path) -> str:
    """What tells a network from others: its config, and samples from all its files of weights."""
    found = hashlib.blake2b(digest_size=16)
    files = [folder / "config.json", folder / "preprocessor_config.json"]
    files += sorted(each for each in folder.rglob("*") if each.suffix in (".safetensors", ".bin", ".onnx"))
    for path in files:
        if path.is_file():
            size = path.stat().st_size
            found.update(f"{path.relative_to(folder)} {size}\n".encode())
            with path.open("rb") as file:
                for place in range(0, size, max(PIECE, size // PIECES)):
                    file.seek(place)
                    found.update(file.read(PIECE))
    return found.hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """While it lasts, transformers shows neither bars nor remarks on its own workings."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(50)  # nothing below a crash
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300] if lines else 'without a word'}"
