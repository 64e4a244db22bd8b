"""Transfer: labels and predictions of every format come in, and go out again, as jobs."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any, Literal

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError, LossError
from inlay.core.segmentation import Segmentation
from inlay.server import forms, jobs, labels
from inlay.server.access import Access
from inlay.server.archives import unpack
from inlay.server.carrying import bring
from inlay.server.draft import BrokenError, apply
from inlay.server.refusals import Refused, told
from inlay.server.saving import commit, tell
from inlay.server.store import classes, documents, images
from inlay.server.store import jobs as job_store

Kind = Literal["labels", "predictions"]
NAMED = 5  # examples in an error or a result


def formats() -> list[forms.FormatRow]:
    """The formats there are."""
    from inlay import plugins

    rows = []
    for name in plugins.names("formats"):
        module = plugins.load("formats", name)
        words = (module.__doc__ or "").strip().splitlines()[0] if module.__doc__ else ""
        rows.append(forms.FormatRow(name=name, words=words, readers=list(getattr(module, "READERS", ()))))
    return rows


async def start_import(
    who: Access, request: Request, name: str, kind: Kind, format_name: str | None, model: str
) -> forms.Job:
    """Keep the body of a request as a file, then read it in beside the requests."""
    folder = who.studio.settings.folder / "uploads" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    file = folder / _safe_name(name)
    try:
        await _receive(request, file, who.studio.settings.max_upload)
        return await run_in_threadpool(
            jobs.start, who, "import", lambda work: _import_file(work, file, kind, format_name, model)
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _safe_name(name: str) -> str:
    """A file name that is one: formats are told by their suffixes."""
    plain = re.sub(r"[^\w.-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")
    return plain[-100:] or "upload"


async def _receive(request: Request, file: Path, most: int) -> None:
    size = 0
    with file.open("wb") as opened:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise Refused(
                    413, f"the file has more than {most} bytes: import it with `inlay label --import`"
                )
            await run_in_threadpool(opened.write, chunk)
    if not size:
        raise Refused(422, "the body is empty: send the file itself")


def _import_file(
    work: jobs.Work, file: Path, kind: Kind, format_name: str | None, model: str
) -> dict[str, Any]:
    settings = work.who.studio.settings
    try:
        place = file
        if zipfile.is_zipfile(file):
            place = file.parent / "unpacked"
            place.mkdir()
            unpack(file, place, most_bytes=settings.max_unpacked, most_entries=settings.max_entries)
            file.unlink()
            place = _inner(place)
        return import_labels(work, place, kind, format_name, model or file.stem)
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def _inner(folder: Path) -> Path:
    """The folder that an archive holds where it holds nothing else."""
    entries = [entry for entry in folder.iterdir() if entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 else folder


def import_labels(
    work: jobs.Work, place: Path, kind: Kind, format_name: str | None = None, model: str = ""
) -> dict[str, Any]:
    """Bring labels or predictions into the project's documents; what came of it."""
    from inlay.formats import read

    who = work.who
    mine = labels.dataset(who.studio, who.project_id)
    dataset = read(place, format_name, like=mine if len(mine.classes) else None)
    pairs = dataset.pair(mine)
    with who.studio.database.writing() as db:
        class_ids = classes.take_in(db, who.project_id, dataset.classes)
        image_ids = documents.ids_by_name(db, who.project_id)
    who.studio.events.tell(who.project_id, forms.Event(kind="classes", by=who.session.name))
    counts, failed = [0, 0], []
    for done, (theirs, name) in enumerate(pairs, 1):
        try:
            sample = dataset.load(theirs)
            brought = _bring(who, image_ids[name], sample, class_ids, kind, model)
            counts = [counts[0] + bool(brought), counts[1] + brought]
        except (InlayError, Refused, BrokenError) as error:
            failed.append(f"{name}: {told(error)}")
        work.step(done, len(pairs), name)
    if failed and not counts[0]:
        raise InlayError(f"none of {len(pairs)} images could take its labels: {failed[0]}")
    unmatched = sorted({*dataset.names} - {theirs for theirs, _ in pairs})
    return {
        "total": len(pairs),
        "words": f"{counts[1]} segments in {counts[0]} images",
        "images": counts[0],
        "segments": counts[1],
        "without_image": len(unmatched),
        "without_image_examples": unmatched[:NAMED],
        "failed": len(failed),
        "failed_examples": failed[:NAMED],
        "left_out": dict(dataset.left_out),
    }


def _bring(who: Access, image_id: int, sample: Sample, class_ids: list[int], kind: Kind, model: str) -> int:
    label = sample.segmentation
    if label is None:
        return 0
    images.need_size(who.studio, image_id)
    proposed = kind == "predictions"
    source = f"model:{model[:80] or 'unnamed'}" if proposed else "import"
    with who.studio.database.writing() as db:
        image = documents.image_row(db, image_id, locked=True)
        _see_size(label, (image.height, image.width))
        draft = documents.load(db, image)
        gesture = bring(label, class_ids, draft, source=source, state="proposed" if proposed else "final")
        apply(draft, gesture.ops)
        revision = commit(db, who, image, draft, [gesture])
        facts = {"split": sample.split[:32], "group_name": sample.group, "frame": sample.frame}
        documents.set_facts(
            db, image_id, {name: value for name, value in facts.items() if value not in ("", None)}
        )
    tell(who, image_id, revision)
    return len(label)


def _see_size(label: Segmentation, size: tuple[int, int]) -> None:
    if label.size != size:
        (height, width), (tall, wide) = label.size, size
        raise InlayError(f"its label is {width}x{height} pixels, the image {wide}x{tall}")


def start_export(who: Access, body: forms.Export) -> forms.Job:
    """Write the labels of a project in a format."""
    known = [row.name for row in formats()]
    if body.format not in known:
        raise Refused(422, f"there is no format {body.format!r}; there are {', '.join(known)}")
    return jobs.start(who, "export", lambda work: _export(work, body))


def _export(work: jobs.Work, body: forms.Export) -> dict[str, Any]:
    from inlay.formats import write

    folder = work.who.studio.settings.folder / "exports" / str(work.job_id)
    folder.mkdir(parents=True)
    dataset = export_dataset(work.who, body)
    if not len(dataset):
        raise InlayError("there is nothing to export: no image has a label in these states")
    try:
        receipt = write(
            dataset,
            folder / f"labels{_suffix(body.format)}",
            to=body.format,
            lossy=body.lossy,
            reader=body.reader,
            progress=work.step,
        )
        file = f"{body.format}.zip"
        _zip(receipt.path, folder / file)
    except LossError as error:
        shutil.rmtree(folder, ignore_errors=True)
        way_out = "nothing was written: choose another format, or leave out what it cannot hold"
        raise InlayError(f"{error.what}; {way_out}") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _remove(receipt.path)
    losses = [str(loss) for loss in receipt.losses]
    return {
        "total": len(dataset),
        "words": f"{receipt.segments} segments in {receipt.samples} images",
        "file": file,
        "samples": receipt.samples,
        "segments": receipt.segments,
        "lost": losses,
        "receipt": str(dataclasses.replace(receipt, path=Path(receipt.path.name))),
    }


def export_dataset(who: Access, body: forms.Export) -> Dataset:
    """What an export writes: every image somebody has touched."""
    return labels.dataset(
        who.studio, who.project_id, states=body.states, proposed=body.proposed, labelled=True
    )


def _suffix(format_name: str) -> str:
    return ".json" if format_name in ("coco", "coco_results") else ""


def _zip(source: Path, target: Path) -> None:
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in files:
            archive.write(path, path.relative_to(source.parent if source.is_file() else source))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def send_file(who: Access, job_id: int) -> Response:
    """The file that an export wrote."""
    with who.studio.database.reading() as db:
        job = job_store.read(db, job_id)
    file = who.studio.settings.folder / "exports" / str(job_id) / (job.file or "none")
    if job.file is None or not file.is_file():
        raise Refused(404, "the job has written no file")
    return FileResponse(file, media_type="application/zip", filename=f"labels-{job_id}-{job.file}")
