"""`inlay check`: rules over labels, findings, exit code."""

from __future__ import annotations

from pathlib import Path

from inlay.cli.console import open_dataset, progress_bar, show_page, words


def check(
    data: Path,
    /,
    *,
    pack: str = "schema,partition",
    rules: Path | None = None,
    out: Path | None = None,
    page: Path | None = None,
    split: str | None = None,
    jobs: int = 1,
    test_rules: bool = False,
) -> int:
    """Find bad labels: exit code 0 when no error was found, 1 when some were, 2 when the check broke.

    Example: `inlay check labels.json --pack schema,partition,geometry --out findings.jsonl`

    Parameters
    ----------
    data
        File or folder that some format recognises.
    pack
        Rule packs, with commas between.
    rules
        A TOML file of your own rules, which may extend packs.
    out
        Write the findings here, one JSON object a line.
    page
        Write a contact sheet of the findings here (.html).
    split
        Only this split.
    jobs
        Processes.
    test_rules
        Also run the examples that the rules carry, first.
    """
    from inlay.rules import check as run_check
    from inlay.rules import test_rules as run_examples

    packs = tuple(words(pack))
    if test_rules:
        tested = run_examples(packs=packs, rules=rules)
        print(tested)
        if tested.exit_code:
            return 2
    dataset = open_dataset(data, split=split)
    with progress_bar("checking") as progress:
        findings = run_check(
            dataset,
            packs=packs,
            rules=rules,
            on="processes" if jobs > 1 else "serial",
            workers=jobs,
            progress=progress,
        )
    print(findings)
    if out:
        findings.to_jsonl(out)
        print(f"findings: {out}")
    if page:
        findings.to_html(page, dataset)
        show_page(page, browser=False)
    return findings.exit_code
