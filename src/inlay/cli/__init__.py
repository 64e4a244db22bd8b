"""The command line: one lazy line for each command, one place where errors become exit codes."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError

from inlay import __version__
from inlay.core.errors import InlayError

EPILOGUE = """First steps: `inlay sample street demo-data`, then `inlay check demo-data`, `inlay view demo-data` and
`inlay train demo-data --model unet --out runs/first --minutes 5`. Each command has an example: `inlay train --help`."""

app = App(
    name="inlay",
    help="A segmentation workbench: sample, convert, view, check, train, predict and score around one type.",
    help_epilogue=EPILOGUE,
    version=__version__,
)
app.command("inlay.cli.sample:sample", help="Make a sample dataset with exact truth: street, parts or cells.")
app.command("inlay.cli.convert:convert", help="Read labels in one format and write them in another, losing nothing.")
app.command("inlay.cli.view:view", help="Draw a dataset as a page of overlays.")
app.command("inlay.cli.check:check", help="Find bad labels by rules.")
app.command("inlay.cli.train:train", help="Train a model on a dataset.")
app.command("inlay.cli.predict:predict", help="Segment images with a trained model.")
app.command("inlay.cli.score:score", help="Compare predictions with the truth.")
app.command("inlay.cli.formats:formats", help="List the formats, and what each can hold.")
app.command("inlay.cli.demo:demo", help="The whole job on sample data in a few minutes.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, what the command returns, or 2 after one line on what went wrong."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        return _fail(f"{error} (see `inlay --help`)")
    except InlayError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("stopped", code=130)
    except BrokenPipeError:  # `inlay ... | head`: nobody listens any more, which is not our failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _fail("out of memory: take fewer or smaller images at once")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}")


def _fail(message: str, *, code: int = 2) -> int:
    print("inlay: " + " ".join(message.split()), file=sys.stderr)
    return code
