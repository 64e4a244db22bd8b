"""What a check depends on, as short digests: the content of a sample, the code of the columns, the rules."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import inlay
from inlay.core import kernels
from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import ROW_COLUMNS, Segmentation

if TYPE_CHECKING:
    from inlay.rules.gathered import Gathered
    from inlay.rules.noise import Caps
    from inlay.rules.rule import Rule

Digest = bytes


def sample_digest(sample: Sample, predicted: Segmentation | None = None) -> Digest:
    """The same while label, image and facts of a sample are the same; a file counts as its size and time."""
    digest = hashlib.blake2b(digest_size=16)
    facts = (sample.name, sample.split, sample.group, sample.frame)
    digest.update(repr(facts).encode("utf-8", "surrogatepass"))
    _add_image(digest, sample.image)
    for label in (sample.segmentation, predicted):
        _add_label(digest, label)
    return digest.digest()


def _add_image(digest: Any, image: Any) -> None:
    if isinstance(image, np.ndarray):
        digest.update(repr(image.shape).encode())
        digest.update(np.ascontiguousarray(image).data)
        return
    stamp: tuple[Any, ...] = (str(image),)
    if isinstance(image, Path):
        try:
            found = image.stat()
            stamp += (found.st_size, found.st_mtime_ns)
        except OSError:
            stamp += ("gone",)
    digest.update(repr(stamp).encode("utf-8", "surrogatepass"))


def _add_label(digest: Any, label: Segmentation | None) -> None:
    if label is None:
        digest.update(b"no label")
        return
    digest.update(_classes(label.classes))
    digest.update(repr((label.size, sorted(label.image_tags))).encode("utf-8", "surrogatepass"))
    for name in ROW_COLUMNS:
        column = getattr(label, name)
        digest.update(name.encode())
        if isinstance(column, Masks):
            digest.update(column.counts.data)
            digest.update(column.offsets.data)
        elif isinstance(column, np.ndarray):
            digest.update(column.tobytes())
        else:
            words = [sorted(tags) for tags in column] if column else None
            digest.update(repr(words).encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=16)
def _classes(classes: Classes) -> bytes:
    return repr(classes.rows).encode("utf-8", "surrogatepass")


def rules_digest(rules: Sequence[Rule], classes: Classes) -> Digest:
    """The same for rules that judge the same way and say it in the same words."""
    digest = hashlib.blake2b(code_digest(rules), digest_size=16)
    digest.update(_classes(classes))
    for rule in rules:
        clauses = [clause and clause.sql for clause in (rule.verdict, rule.where, rule.unless)]
        own = (rule.id, rule.scope, rule.severity, rule.message)
        bounds = (rule.forbids, rule.over, rule.least, rule.most)
        reads = sorted(reference.key for reference in {**rule.columns, **rule.inner, **rule.gathers})
        digest.update(
            repr((own, bounds, clauses, rule.measure, sorted(rule.parameters.items()), reads)).encode()
        )
    return digest.digest()


def late_digest(rules: Sequence[Rule], gathered: Gathered, caps: Caps) -> Digest:
    """The same for rules that see the same images and segments of a whole dataset."""
    digest = hashlib.blake2b(rules_digest(rules, gathered.classes), digest_size=16)
    digest.update(repr(caps).encode())
    for key, column in gathered.to_record().items():
        digest.update(key.encode())
        words = repr(column.tolist()).encode("utf-8", "surrogatepass") if column.dtype.kind == "O" else b""
        digest.update(words or np.ascontiguousarray(column).tobytes())
    return digest.digest()


def code_digest(rules: Iterable[Rule]) -> Digest:
    """The same while the code that measures is the same: Inlay's rules, its kernels, and plugins."""
    files = set(Path(__file__).parent.rglob("*.py"))
    for rule in rules:
        for column in {**rule.columns, **rule.inner, **rule.gathers}.values():
            source = inspect.getsourcefile(column.measure)
            files |= {Path(source)} if source else set()
    return _files_digest(frozenset(files))


@lru_cache(maxsize=16)
def _files_digest(files: frozenset[Path]) -> Digest:
    digest = hashlib.blake2b(inlay.__version__.encode(), digest_size=16)
    compiled = Path(str(kernels.__file__)).stat()
    digest.update(repr((compiled.st_size, compiled.st_mtime_ns)).encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.digest()
