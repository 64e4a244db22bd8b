"""`inlay check`: rules over labels, findings, fixes, reports, exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from inlay.cli.agreeing import ALONE, Agreeing, agree
from inlay.cli.console import open_dataset, place, progress_bar, show_page, tell, words
from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.rules import Findings


@Parameter(name="*")
@dataclass(frozen=True)
class Control:
    """Which findings count.

    Parameters
    ----------
    waivers
        A TOML file of findings that are let stand, with reasons.
    baseline
        Findings that were there before: only new ones make the exit code 1.
    update_baseline
        Make the baseline, or take what is gone out of it; new findings never come in.
    new_only
        Print and report only what is not in the baseline.
    most_per_image
        Findings of one rule that are kept for one image; all are counted.
    most_per_rule
        Findings of one rule that are kept.
    learn
        Learn from DATA, which must be trusted, what is usual in each class; show it, and freeze it into this
        rule file (.toml) for --rules. Nothing is checked.
    """

    waivers: Path | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    new_only: bool = False
    most_per_image: int = 20
    most_per_rule: int = 2_000
    learn: Path | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class Fixing:
    """What is mended.

    Parameters
    ----------
    fix
        Apply the safe fixes, each within the limit of its rule, and write the labels to `fixed`.
    fixed
        Where the mended labels go, in the format they came in; default: over DATA, if that is one file.
    preview
        Draw every fix before and after on this page (.html); without --fix nothing else is written.
    unsafe_fixes
        Apply fixes as well that change ids or classes.
    undo
        Take back the fixes of this undo file, which --fix wrote, from DATA; no rule is asked.
    lossy
        Write the mended labels though the format cannot hold all that was read.
    """

    fix: bool = False
    fixed: Path | None = None
    preview: Path | None = None
    unsafe_fixes: bool = False
    undo: Path | None = None
    lossy: bool = False


def check(
    data: Path,
    /,
    *others: Path,
    pack: str = "schema,geometry,partition,logic,occlusion,sequence,pixels",
    rules: Path | None = None,
    predictions: Path | None = None,
    report: tuple[Path, ...] = (),
    to: str | None = None,
    out: Path | None = None,
    page: Path | None = None,
    split: str | None = None,
    jobs: int = 1,
    on: Literal["serial", "processes", "ray"] | None = None,
    cache: bool = True,
    cache_folder: Path | None = None,
    test_rules: bool = False,
    control: Control = Control(),
    fixing: Fixing = Fixing(),
    agreeing: Agreeing = ALONE,
) -> int:
    """Find bad labels: exit code 0 when no error was found, 1 when some were, 2 when the check broke.

    Example: `inlay check labels.json --pack schema,partition,geometry --report findings.sarif`, or how far
    people agree: `inlay check --agreement anna.json ben.json carl.json`

    Parameters
    ----------
    data
        File or folder that some format recognises.
    others
        With --agreement: what other people made of the same images.
    pack
        Rule packs, with commas between.
    rules
        A TOML file of your own rules, which may extend packs.
    predictions
        What a model says of the same images, for the rules that compare the two.
    report
        Write the findings here; the suffix says how: .jsonl, .sarif, .xml (JUnit), .json (COCO), .md, .csv,
        .html. May be given several times.
    to
        How to write them, whatever their suffix: jsonl, sarif, junit, coco_errors, markdown, csv_table, html.
    out
        The same as --report; JSON Lines where the suffix says nothing.
    page
        The same as --report with a name in .html.
    split
        Only this split.
    jobs
        Processes.
    on
        Where to run: here (serial), in processes, or on a Ray cluster; default: as --jobs says.
    cache
        Keep what was measured, by content, so that a second check measures only what has changed.
    cache_folder
        Where to keep it; default: the user's folder of caches.
    test_rules
        Also run the examples that the rules carry, first.
    """
    if agreeing.agreement:
        return agree((data, *others), agreeing, report if page is None else (*report, page), split)
    _refuse_others(others, agreeing)
    dataset = open_dataset(data, split=split)
    if fixing.undo is not None:
        return _undo(dataset, data, fixing)
    if control.learn is not None:
        return _learn(dataset, control.learn)
    _refuse(control, fixing, data)
    reports = _kinds(report, to, out, page)
    packs = tuple(words(pack))
    if test_rules and _examples(packs, rules):
        return 2
    folder = _folder(cache_folder) if cache else None
    findings = _found(dataset, packs, rules, predictions, jobs, on, folder, control)
    findings, shown = _compared(findings, control)
    _report(shown, reports, dataset, data)
    if fixing.fix or fixing.preview is not None:
        _fix(findings, dataset, data, fixing)
    return findings.exit_code


def _report(shown: Findings, reports: list[tuple[Path, str]], dataset: Dataset, data: Path) -> None:
    """Say what was found, and write it to every path as the kind beside it."""
    tell(shown)
    for path, kind in reports:
        shown.write(path, to=kind, dataset=dataset, source=data)
        show_page(path, browser=False) if kind == "html" else print(f"findings: {path}")


def _kinds(
    report: tuple[Path, ...], to: str | None, out: Path | None, page: Path | None
) -> list[tuple[Path, str]]:
    """Where the findings go, and as which kind of report; what names none is refused here."""
    from inlay import plugins
    from inlay.rules.report import kind_of

    found = [(path, to or kind_of(path)) for path in report]
    found += [] if out is None else [(out, kind_of(out) if _is_report(out) else "jsonl")]
    found += [] if page is None else [(page, "html")]
    for path, kind in found:
        plugins.load("rules.report", kind)
        if path.is_dir():
            raise InlayError(f"{path}: is a folder; a report is one file")
    return found


def _refuse(control: Control, fixing: Fixing, data: Path) -> None:
    """Say what does not go together before anything is measured."""
    if control.baseline is None and (control.update_baseline or control.new_only):
        raise InlayError("--update-baseline and --new-only need a --baseline FILE")
    if fixing.fix and fixing.fixed is None and not data.is_file():
        raise InlayError(f"{data} is a folder: say with --fixed PATH where the mended labels go")
    for name in ("fixed", "unsafe_fixes"):
        if getattr(fixing, name) and not (fixing.fix or fixing.preview):
            raise InlayError(f"--{name.replace('_', '-')} goes with --fix")


def _is_report(path: Path) -> bool:
    """Whether the suffix names a kind of report."""
    from inlay.rules.report import kind_of

    try:
        return bool(kind_of(path))
    except InlayError:
        return False


def _refuse_others(others: tuple[Path, ...], agreeing: Agreeing) -> None:
    if others:
        hint = " Each report wants a --report of its own." if _is_report(others[0]) else ""
        raise InlayError(f"rules check one dataset, not {others[0]} as well: did you mean --agreement?{hint}")
    if agreeing != ALONE:
        raise InlayError("--honeypots, --consensus and --by go with --agreement")


def _learn(dataset: Dataset, path: Path) -> int:
    """Freeze what is usual in trusted labels into a rule file."""
    from inlay.rules.learn import learn

    with progress_bar("measuring") as progress:
        learnt = learn(dataset, progress=progress)
    learnt.write(path)
    print(learnt)
    print(f"rules: {path}; read them, then check with --rules {path}")
    return 0


def _folder(folder: Path | None) -> Path:
    from inlay.core.caching import default_folder

    return folder or default_folder()


def _examples(packs: tuple[str, ...], rules: Path | None) -> int:
    from inlay.rules import test_rules

    tested = test_rules(packs=packs, rules=rules)
    print(tested)
    return tested.exit_code


def _found(
    dataset: Dataset,
    packs: tuple[str, ...],
    rules: Path | None,
    predictions: Path | None,
    jobs: int,
    on: Literal["serial", "processes", "ray"] | None,
    cache: Path | None,
    control: Control,
) -> Findings:
    from inlay.rules import check as run_check
    from inlay.rules.noise import Caps
    from inlay.rules.waivers import read_waivers

    waivers = () if control.waivers is None else read_waivers(control.waivers)
    predicted = None if predictions is None else open_dataset(predictions, like=dataset)
    with progress_bar("checking") as progress:
        findings = run_check(
            dataset,
            packs=packs,
            rules=rules,
            predictions=predicted,
            **place(jobs, on),
            cache=cache,
            caps=Caps(control.most_per_image, control.most_per_rule),
            progress=progress,
        )
    return findings.waive(waivers)


def _compared(findings: Findings, control: Control) -> tuple[Findings, Findings]:
    """The findings beside the baseline, and those of them that are shown."""
    from inlay.rules.baseline import Baseline, read_baseline, shrunk, write_baseline

    if control.baseline is None:
        return findings, findings
    first = control.update_baseline and not control.baseline.exists()
    known = Baseline.of(findings) if first else read_baseline(control.baseline)
    findings = findings.compare(known)
    if control.update_baseline:
        kept = shrunk(findings)
        write_baseline(kept, control.baseline)
        print(f"baseline: {control.baseline}, {len(kept.known)} findings, {len(findings.gone)} gone")
    return findings, findings.new if control.new_only else findings


def _fix(findings: Findings, dataset: Dataset, data: Path, fixing: Fixing) -> None:
    """Preview the fixes, or apply them: the mended labels and an undo file are written."""
    from inlay.rules.preview import write_preview
    from inlay.rules.undo import write_undo

    repair = findings.repair(dataset, unsafe=fixing.unsafe_fixes)
    if fixing.preview is not None:
        write_preview(repair, fixing.preview)
        show_page(fixing.preview, browser=False)
    if not fixing.fix:
        return
    if not repair.found:
        print("nothing to fix")
        return
    target = fixing.fixed or data
    undo = target.with_name(f"{target.name}.undo.jsonl")
    patches = [patch for name in repair.found for patch in repair.label(name).patches]
    applied = sum(not patch.refused for patch in patches)
    write_undo(((name, repair.label(name)) for name in repair.found), undo)
    _write(repair.repaired, data, target, lossy=fixing.lossy)
    print(f"fixed: {applied} findings, {len(patches) - applied} refused: {target}")
    elsewhere = f" --fixed {target}.undone" if target.is_dir() else ""
    print(f"to take it back: inlay check {target} --undo {undo}{elsewhere}")


def _undo(dataset: Dataset, data: Path, fixing: Fixing) -> int:
    from inlay.rules.undo import undone

    if not data.is_file() and fixing.fixed is None:
        raise InlayError(f"{data} is a folder: say with --fixed PATH where the labels as they were go")
    target = fixing.fixed or data
    _write(undone(dataset, fixing.undo or Path()), data, target, lossy=fixing.lossy)
    print(f"undone: {target}")
    return 0


def _write(dataset: Dataset, data: Path, target: Path, *, lossy: bool) -> None:
    """Write labels in the format that `data` has."""
    from inlay.formats import sniff, write

    write(dataset, target, to=sniff(data)[0], lossy=lossy, overwrite=target == data)
