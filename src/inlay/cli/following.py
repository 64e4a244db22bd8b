"""`inlay measure`: things followed through videos and between cameras, repaired by hand, in zones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from inlay.cli.console import open_dataset, progress_bar

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset

Pair = Annotated[tuple[int, int], Parameter(negative=())]


def track(
    data: Path,
    out: Path,
    /,
    *,
    to: str = "native",
    sure: float = 0.5,
    memory: int = 30,
    colour: bool = True,
    lossy: bool = False,
) -> int:
    """Give each thing one number through its video.

    Example: `inlay measure track predictions tracked`

    Parameters
    ----------
    data
        Predictions whose samples know their video (`group`) and `frame`.
    out
        Where to write the same predictions with lasting instance ids.
    to
        Format to write.
    sure
        Predictions of at least this score begin tracks.
    memory
        Frames that a thing may be out of sight and still be known.
    colour
        Let the colours of the images count.
    lossy
        Write although the format cannot hold everything.
    """
    from inlay.formats import write
    from inlay.measure.tracks import Tracking
    from inlay.measure.tracks import track as run_track

    dataset = open_dataset(data)
    with progress_bar("tracking") as progress:
        tracked = run_track(dataset, Tracking(sure=sure, memory=memory, colour=colour), progress=progress)
    print(write(tracked, out, to=to, lossy=lossy))
    return 0


def tracks(data: Path, /, *, video: str | None = None, colour: bool = True) -> int:
    """List the tracks of videos, and which of them look like one thing.

    Example: `inlay measure tracks tracked`

    Parameters
    ----------
    data
        Tracked videos.
    video
        Only this one (the `group` of its samples).
    colour
        Let the colours of the images count.
    """
    from inlay.measure.track_list import proposals, tracks_of

    dataset = open_dataset(data)
    if video is not None:
        dataset = dataset.filter(lambda sample: sample.group == video)
    found = tracks_of(dataset, colour=colour)
    for each in found:
        print(each)
    offers = proposals(found)
    for fit, repair in offers:
        print(f"one thing? {fit:.2f}: --join {repair.track} {repair.other} --video '{repair.video}'")
    print(f"{len(found)} tracks, {len(offers)} joins offered; `inlay measure repair` makes them")
    return 0


def repair(
    data: Path,
    journal: Path,
    out: Path | None = None,
    /,
    *,
    video: str | None = None,
    join: Pair | None = None,
    cut: int | None = None,
    swap: Pair | None = None,
    rename: Pair | None = None,
    drop: int | None = None,
    since: int | None = None,
    undo: bool = False,
    ask: bool = False,
    to: str = "native",
    lossy: bool = False,
) -> int:
    """Repair tracks by hand; each repair is a line of a journal, and undone by it. DATA stays as it is.

    Example: `inlay measure repair tracked fixes.jsonl --join 3 7`, then
    `inlay measure repair tracked fixes.jsonl --undo`, at last
    `inlay measure repair tracked fixes.jsonl repaired`

    Parameters
    ----------
    data
        Tracked videos.
    journal
        File of the repairs (JSON lines); begun where there is none.
    out
        Write the repaired videos here.
    video
        Which video (the `group` of its samples); may be left out where there is only one.
    join
        Two tracks that are one thing; the first number stays.
    cut
        A track that is two things: from `--since` on it gets a new number.
    swap
        Two tracks that changed their numbers, at `--since`.
    rename
        A track and its new number.
    drop
        A track that is nothing: its segments leave.
    since
        Frame from which on the repair counts.
    undo
        Take the last repair back.
    ask
        Go through the joins that `inlay measure tracks` offers: y, n, u to undo, q to stop.
    to
        Format to write.
    lossy
        Write although the format cannot hold everything.
    """
    from inlay.core.errors import InlayError
    from inlay.formats import write
    from inlay.measure.repair import Repair, keep_repair, read_repairs, repaired

    dataset = open_dataset(data)
    pairs = {"join": join, "swap": swap, "rename": rename}
    wanted: list[tuple[Any, int, int]] = [(name, *pair) for name, pair in pairs.items() if pair]
    wanted += [(name, one, 0) for name, one in (("cut", cut), ("drop", drop)) if one is not None]
    if len(wanted) + undo + ask > 1:
        raise InlayError("one repair at a time: each is a line of the journal")
    if undo:
        keep_repair(journal, None)
    for action, one, other in wanted:
        added = Repair(action, _one_video(dataset, video), one, other, since)
        repaired(dataset, [*read_repairs(journal), added])  # refuses what cannot be done
        keep_repair(journal, added)
    if ask:
        _ask_repairs(dataset, journal, video)
    known = read_repairs(journal)
    for number, each in enumerate(known, 1):
        print(f"{number}: {each}")
    print(f"{len(known)} repairs: {journal}")
    if out is not None:
        print(write(repaired(dataset, known), out, to=to, lossy=lossy))
    return 0


def _one_video(dataset: Dataset, video: str | None) -> str:
    from inlay.core.errors import InlayError

    videos = sorted({sample.group for sample in dataset})
    if video is None and len(videos) != 1:
        raise InlayError(f"there are {len(videos)} videos ({', '.join(videos[:5])}): say which, with --video")
    return videos[0] if video is None else video


def _ask_repairs(dataset: Dataset, journal: Path, video: str | None) -> None:
    """Offer joins one by one; what has been joined or declined is not offered again."""
    from inlay.core.errors import InlayError
    from inlay.measure.repair import keep_repair, read_repairs, repaired
    from inlay.measure.track_list import proposals, tracks_of

    chosen = dataset if video is None else dataset.filter(lambda sample: sample.group == video)
    declined = set()
    while True:
        done = [each for each in read_repairs(journal) if video is None or each.video == video]
        offers = [each for _, each in proposals(tracks_of(repaired(chosen, done))) if each not in declined]
        if not offers:
            return
        answer = input(f"{offers[0]}? [y/n/u/q] ").strip().lower()
        try:
            if answer in ("y", "yes"):
                keep_repair(journal, offers[0])
            elif answer == "u":
                keep_repair(journal, None)
            elif answer == "q":
                return
            else:
                declined.add(offers[0])
        except InlayError as error:
            print(error)


def cameras(
    data: Path,
    out: Path,
    /,
    *,
    least: float = 0.9,
    to: str = "native",
    lossy: bool = False,
) -> int:
    """Give things that several cameras see one number, by how they look.

    Example: `inlay measure cameras tracked shared --least 0.92`

    Parameters
    ----------
    data
        Tracked videos, one for each camera, with their images.
    out
        Where to write them with shared instance ids.
    least
        Likeness of colours, 0 .. 1, from which on two tracks may be one thing.
    to
        Format to write.
    lossy
        Write although the format cannot hold everything.
    """
    from inlay.formats import write
    from inlay.measure.cameras import gallery, link, linked

    dataset = open_dataset(data)
    numbers = link(gallery(dataset), least=least)
    shared = len(numbers) - len(set(numbers.values()))
    print(write(linked(dataset, numbers), out, to=to, lossy=lossy))
    print(
        f"{len(numbers)} tracks of {len({camera for camera, _ in numbers})} cameras, {shared} of them known"
    )
    return 0


def zones(data: Path, shapes: Path, /) -> int:
    """Say how long tracked things stay in zones and how often they cross lines, by their masks.

    Example: `inlay measure zones tracked zones.json`

    Parameters
    ----------
    data
        Tracked videos.
    shapes
        `{"zones": [{"name": "gate", "points": [[x, y], ...]}], "lines": [{"name": ..., "points": [a, b]}]}`
    """
    from inlay.measure.zones import by_direction, crossings, read_zones, stays

    dataset = open_dataset(data)
    areas_of_interest, lines = read_zones(shapes)
    for stay in stays(dataset, areas_of_interest):
        print(
            f"{stay.zone}: {stay.class_name} {stay.instance} of {stay.group or 'the video'}, "
            f"frames {stay.first} to {stay.last}, {stay.frames} inside"
        )
    for (line, name), (into, out) in by_direction(crossings(dataset, lines)).items():
        print(f"{line}: {name} {into} in, {out} out")
    return 0
