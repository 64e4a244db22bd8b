"""Which label errors does `inlay check` find? Known errors are put into clean labels, one kind at a time.

    python benchmarks/label_errors.py                         # rendered scenes alone
    python benchmarks/label_errors.py --data ../shared/data   # and parts of CamVid, nuclei, COCO
    python benchmarks/label_errors.py --part test --out docs/label_errors.md

While rules are made, `--part dev` is looked at; `--part test` has other images and other random numbers.
An error is found when a finding that the clean label does not have touches it; precision is the share of such
new findings, in the images with an error, that touch it. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import inlay
from inlay import scenes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.rules import DEFAULT_PACKS, Finding, Findings
from mistakes import files, logic, shapes, stacks, styles, videos
from mistakes.canvas import Spoilt, grown

GENERAL = DEFAULT_PACKS
LOW = "XGPLS"
SHARE = 0.25  # of the images get an error: about one segment in a hundred
Inject = Callable[[Sample, np.random.Generator], Spoilt | None]


@dataclass(frozen=True)
class Kind:
    """One kind of error."""

    number: str
    name: str
    tier: str
    inject: Any
    video: bool = False
    file: bool = False
    style: bool = False


KINDS = (
    Kind("1", "stray fragment", "G", shapes.fragment),
    Kind("2", "hole", "G", shapes.hole),
    Kind("3", "spur", "G", shapes.spur),
    Kind("4", "bite", "G", shapes.bite),
    Kind("5", "coarse polygon", "B", shapes.coarse),
    Kind("6", "outline too wide or narrow", "B", shapes.grown_or_shrunk),
    Kind("7", "shift", "B", shapes.shifted),
    Kind("8", "scale", "B", shapes.scaled),
    Kind("9", "leak", "B", shapes.leak),
    Kind("10", "seam between neighbours", "P", stacks.seam),
    Kind("11", "overlap", "P", stacks.overlap),
    Kind("12", "duplicate", "P", stacks.duplicate),
    Kind("13", "two things merged", "I", stacks.merged),
    Kind("14", "one thing split", "I", stacks.split),
    Kind("15", "missing thing", "O", stacks.missing),
    Kind("16", "phantom thing", "O", stacks.phantom),
    Kind("17", "class of another thing", "C", stacks.flipped),
    Kind("18", "impossible place or class", "L", logic.place),
    Kind("19", "thing of 5 px", "L", stacks.speck),
    Kind("20a", "order swapped", "L", logic.order),
    Kind("20b", "circle of occluders", "L", logic.circle),
    Kind("21a", "tag truncated wrong", "L", logic.truncated_tag),
    Kind("21b", "tag occluded wrong", "L", logic.occluded_tag),
    Kind("21c", "single thing as a crowd", "L", logic.crowd_flag),
    Kind("22", "full extent wrong", "L", logic.extent),
    Kind("23a", "ids swapped", "S", videos.swap, video=True),
    Kind("23b", "id used again", "S", videos.reuse, video=True),
    Kind("23c", "track goes on under a new id", "S", videos.new_id, video=True),
    Kind("23d", "gap in a track", "S", videos.gap, video=True),
    Kind("23e", "class changes in a track", "S", videos.class_change, video=True),
    Kind("24a", "mask frozen", "S", videos.frozen, video=True),
    Kind("24b", "frame frozen", "S", videos.frozen_frame, video=True),
    Kind("25", "one id at two places", "S", videos.id_twice, video=True),
    Kind("26a", "thing with id 0", "X", logic.no_id),
    Kind("26b", "id twice", "X", logic.id_twice),
    *(
        Kind(f"26{letter}", name, "X", inject, file=True)
        for letter, (name, inject) in zip("cdefghij", files.MUTATORS.items())
    ),
    *(
        Kind(f"27{letter}", f"one person's outlines are {style}", "D", style, style=True)
        for letter, style in zip("abc", styles.STYLES)
    ),
    Kind("28", "labelled through glass", "W", logic.through),
)


# What volunteers changed of the labels of DSB-2018 (939 masks of nuclei, see its README): how many, and the
# kinds that such a change can have mended, each taken to be as frequent as the next.
PRIORS = (
    ("reshaped", 382, ("1", "2", "3", "4", "5", "6", "7", "8", "9", "13", "14")),
    ("deleted", 516, ("12", "16", "19")),
    ("added", 41, ("15",)),
)


@dataclass(frozen=True)
class Base:
    """Clean labels of one domain, and the packs that its user would choose."""

    name: str
    samples: Sequence[Sample]
    packs: tuple[str, ...] = GENERAL
    frames: int = 1

    @property
    def dataset(self) -> Dataset:
        """The samples."""
        return Dataset.of(self.samples)


@dataclass
class Count:
    """What came of one kind of error."""

    tried: int = 0
    caught: int = 0
    new: int = 0  # findings in spoilt images that the clean ones lack
    true: int = 0  # of them, those that touch the error
    located: list[float] = field(
        default_factory=list
    )  # share of the error inside the finding's box or region
    rules: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Count) -> Count:
        return Count(
            self.tried + other.tried,
            self.caught + other.caught,
            self.new + other.new,
            self.true + other.true,
            self.located + other.located,
            self.rules + other.rules,
        )


def bases(part: str, data: Path | None, images: int) -> list[Base]:
    """Clean labels; the parts share no image."""
    seed = {"dev": 71, "test": 1905}[part]
    drawn = [
        Base(kind, list(scenes.make(kind, images, size=(240, 320), seed=seed)))
        for kind in ("street", "cells", "parts")
    ]
    drawn.append(
        Base("video", list(scenes.make("street", 2 * images, size=(240, 320), seed=seed, frames=8)), frames=8)
    )
    if data is None:
        return drawn
    for name, path, split, packs in (
        ("camvid", "camvid", "train", (*GENERAL, "driving")),
        ("nuclei", "dsb2018", "train", (*GENERAL, "cells")),
        ("coco", "coco_subset", "", GENERAL),
    ):
        dataset = inlay.read(data / path)
        names = [each for each in dataset.names if not split or dataset.splits.get(each) == split]
        half = [each for each in names if (zlib.crc32(each.encode()) % 2 == 0) == (part == "dev")]
        drawn.append(Base(name, [dataset.load(each) for each in half[:images]], packs))
    return drawn


def keys(findings: Iterable[Finding]) -> dict[tuple[Any, ...], Finding]:
    """Findings by rule, image and segments."""
    return {
        (each.rule, each.image, each.rows): each
        for each in findings
        if each.severity != "info" or each.rule == "frozen"
    }


def is_new(finding: Finding, key: tuple[Any, ...], clean: dict[tuple[Any, ...], Finding]) -> bool:
    """Whether the clean label lacks the finding, or has it with a smaller value."""
    if key not in clean:
        return True
    before, now = clean[key].measured, finding.measured
    return isinstance(before, int | float) and isinstance(now, int | float) and now > before


def touches(finding: Finding, spoilt: Spoilt) -> tuple[bool, float]:
    """Whether a finding is about an error, and the share of the error that lies in its box or region."""
    if finding.region is not None:
        region = Masks.from_strings([finding.region["counts"]], tuple(finding.region["size"])).decode()[0]
    elif finding.box is not None:
        x0, y0, x1, y1 = (int(v) for v in finding.box)
        region = np.zeros(spoilt.where.shape, np.bool_)
        region[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = True
    else:
        region = np.ones(spoilt.where.shape, np.bool_)
    if region.shape != spoilt.where.shape:
        return True, 1.0
    share = float((region & spoilt.where).sum() / max(spoilt.where.sum(), 1))
    beside = share > 0 or bool((region & grown(spoilt.where, 1.5)).any())
    return beside or bool(set(finding.rows) & set(spoilt.rows)), share


def trial(base: Base, kind: Kind, clean: Findings, seed: int, cache: Path) -> Count:
    """One kind of error in some of the images of one base."""
    random = np.random.default_rng([seed, zlib.crc32(kind.name.encode()), zlib.crc32(base.name.encode())])
    samples, errors = list(base.samples), []
    if kind.file:
        found, whole, wrong = files.spoil(samples, kind.inject, random, SHARE, base.packs)
        if found is None:  # refused as a whole, by name
            return Count(len(wrong), len(wrong))
        return judged(found, whole, wrong)
    if kind.style:
        return styled(samples, kind.inject, random, (*base.packs, "dataset"), cache)
    if kind.video:
        for start in range(0, len(samples), base.frames):
            found = kind.inject(samples[start : start + base.frames], random) if base.frames > 1 else None
            if found is not None and found[1]:
                _, spoilt = found
                errors.append({each.sample.name: each for each in spoilt})
                for each in spoilt:
                    samples[next(i for i, s in enumerate(samples) if s.name == each.sample.name)] = (
                        each.sample
                    )
    else:
        for place in random.permutation(len(samples))[: max(1, round(SHARE * len(samples)))]:
            spoilt = kind.inject(samples[place], random)
            if spoilt is not None:
                errors.append({spoilt.sample.name: spoilt})
                samples[place] = spoilt.sample
    if not errors:
        return Count()
    spoilt_set = Dataset.of(samples, base.samples[0].label().classes)
    return judged(inlay.check(spoilt_set, packs=base.packs, cache=cache), clean, errors)


def styled(
    samples: Sequence[Sample], style: str, random: np.random.Generator, packs: tuple[str, ...], cache: Path
) -> Count:
    """One of three people draws otherwise; found when a rule about people names that one alone."""
    signed, names = styles.signed(samples, random)
    person = str(random.choice(styles.PEOPLE))
    classes = signed[0].label().classes
    spoilt = styles.restyled(signed, names, person, style, random)
    if all(one is other for one, other in zip(signed, spoilt)):
        return Count()  # no things, whose outlines somebody would draw
    clean, found = (
        Counter(
            each.rule
            for each in inlay.check(Dataset.of(each, classes), packs=packs, cache=cache)
            if person in each.message
        )
        for each in (signed, spoilt)
    )
    new = found - clean
    return Count(1, int(bool(new)), sum(new.values()), sum(new.values()), [], new)


def judged(findings: Findings, clean: Findings, errors: Sequence[dict[str, Spoilt]]) -> Count:
    """How many of the errors the findings are about."""
    before, count = keys(clean), Count()
    by_image: dict[str, list[Finding]] = defaultdict(list)
    spoilt = {name: each for error in errors for name, each in error.items()}
    for each in keys(findings).values():
        if each.image in spoilt:
            key = (each.rule, each.image, spoilt[each.image].clean_rows(each.rows))
            if is_new(each, key, before):
                by_image[each.image].append(each)
    for error in errors:
        count.tried += 1
        best, hit = 0.0, False
        names = list(error)
        near = [(name, each) for name in names for each in by_image[name]]
        for name, each in near:
            true, share = touches(each, error[name])
            count.new += 1
            count.true += true
            hit |= true
            if true:
                best = max(best, share)
                count.rules[each.rule] += 1
        count.caught += hit
        if hit:
            count.located.append(best)
    return count


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.959964, hits / of
    middle = share + z * z / (2 * of)
    half = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(float((middle - half) / (1 + z * z / of)), 0.0), float((middle + half) / (1 + z * z / of))


def weighted(total: Mapping[str, Count]) -> str:
    """Recall over the kinds, as frequent as `PRIORS` says; its 95 % interval, by the normal distribution."""
    recall = variance = weight = 0.0
    for _, changes, numbers in PRIORS:
        counts = [total[number] for number in numbers if number in total and total[number].tried]
        for count in counts:
            prior, share = changes / len(counts), count.caught / count.tried
            recall, weight = recall + prior * share, weight + prior
            variance += prior * prior * share * (1 - share) / count.tried
    if not weight:
        return "none of its kinds was injected"
    half = 1.959964 * np.sqrt(variance) / weight
    return f"{recall / weight:.0%} ({recall / weight - half:.0%}–{recall / weight + half:.0%})"


def row(kind: Kind, count: Count) -> str:
    """One line of the table."""
    if not count.tried:
        return f"| {kind.number} | {kind.name} | {kind.tier} | 0 | | | | | |"
    low, high = wilson(count.caught, count.tried)
    precision = f"{count.true / count.new:.0%}" if count.new else ""
    located = f"{np.mean(count.located):.0%}" if count.located else ""
    rules = ", ".join(f"{name} {many}" for name, many in count.rules.most_common(3))
    return (
        f"| {kind.number} | {kind.name} | {kind.tier} | {count.tried} | {count.caught / count.tried:.0%} | "
        f"{low:.0%}–{high:.0%} | {precision} | {located} | {rules} |"
    )


def asked(kind: Kind, base: Base, wanted: set[str]) -> bool:
    """Whether a kind of error can be put into the labels of a base at all."""
    if (wanted and kind.number not in wanted) or (base.frames > 1) != kind.video:
        return False
    return not kind.file or base.name in ("street", "cells", "parts", "camvid")  # label maps of classes


def clean_row(base: Base, clean: Findings) -> str:
    """One line of the table of clean labels."""
    found = [each for each in clean if each.severity != "info"]
    rules = Counter(each.rule for each in found).most_common(4)
    text = ", ".join(f"{name} {many}" for name, many in rules)
    rate = 100 * len(found) / clean.images
    return f"| {base.name} | {clean.images} | {clean.segments} | {rate:.0f} | {text} |"


def run(options: argparse.Namespace, wanted: set[str], cache: Path) -> tuple[list[str], dict[str, Count]]:
    """The rows of the clean labels, and what came of each kind of error."""
    rows: list[str] = []
    total: dict[str, Count] = defaultdict(Count)
    for base in bases(options.part, options.data, options.images):
        if options.bases and base.name not in options.bases.split(","):
            continue
        clean = inlay.check(base.dataset, packs=base.packs, cache=cache)
        rows.append(clean_row(base, clean))
        print(rows[-1], flush=True)
        for kind in (each for each in KINDS if asked(each, base, wanted)):
            for number in range(options.rounds):
                seed = 1000 * (options.part == "test") + number
                count = trial(base, kind, clean, seed, cache)
                total[kind.number] = total[kind.number] + count
                if options.by_base and count.tried:
                    print(f"{base.name:8} {row(kind, count)}", flush=True)
    return rows, total


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--bases", default="")
    parser.add_argument("--by-base", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    wanted = set(filter(None, options.kinds.split(",")))
    with TemporaryDirectory() as folder:
        rows, total = run(options, wanted, Path(folder))
    lines = [f"Part `{options.part}`, {options.images} images of each base, {options.rounds} rounds.", ""]
    lines += ["| clean labels | images | segments | findings for 100 images | rules |"]
    lines += ["|---|---|---|---|---|", *rows, ""]
    lines += ["| # | error | tier | injected | found | 95 % | precision | located | by |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    lines += [row(kind, total[kind.number]) for kind in KINDS if not wanted or kind.number in wanted]
    low = sum((total[kind.number] for kind in KINDS if kind.tier in LOW), Count())
    lines += ["", f"Tiers X, G, P, L, S together: {low.caught} of {low.tried} found."]
    lines += ["", f"Weighted by what volunteers corrected in DSB-2018: {weighted(total)}."]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
