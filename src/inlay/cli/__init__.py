"""The command line: one line for each command, one place where errors become exit codes.

The modules of the commands are light; what they need (torch, polars, Pillow) they import when they run.
"""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError, MissingArgumentError

from inlay import __version__
from inlay.cli.advise import advise
from inlay.cli.check import check
from inlay.cli.click import click
from inlay.cli.convert import convert
from inlay.cli.demo import demo
from inlay.cli.export import export
from inlay.cli.formats import formats
from inlay.cli.label import label
from inlay.cli.measure import measure
from inlay.cli.models import models
from inlay.cli.predict import predict
from inlay.cli.sample import sample
from inlay.cli.score import score
from inlay.cli.serve import serve
from inlay.cli.train import train
from inlay.cli.view import view
from inlay.core.errors import InlayError

EPILOGUE = """First steps: `inlay sample street data`, then `inlay check data`, `inlay view data` and
`inlay train data --model unet --out runs/first --minutes 5`. Each command has an example:
`inlay train --help`."""

app = App(
    name="inlay",
    help="A segmentation workbench around one type: label, check, train, score, advise, measure, convert.",
    help_epilogue=EPILOGUE,
    version=__version__,
)
for command in (
    sample,
    label,
    click,
    convert,
    view,
    check,
    train,
    predict,
    serve,
    export,
    score,
    advise,
    measure,
    formats,
    models,
    demo,
):
    app.command(command)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is what it returns, or 2 after one line on what went wrong."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        return _fail(_misused(error))
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


def _misused(error: CycloptsError) -> str:
    """What is wrong with a command line, and where its help is."""
    said = str(error)
    if isinstance(error, MissingArgumentError) and error.keyword is None:  # not given at all
        said = said.replace("requires an argument", "is missing")
    return f"{said} (see `{' '.join(('inlay', *(error.command_chain or ())))} --help`)"


def _fail(message: str, *, code: int = 2) -> int:
    print("inlay: " + " ".join(message.split()), file=sys.stderr)
    return code
