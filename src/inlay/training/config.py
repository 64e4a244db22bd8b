"""Settings of a training run: frozen dataclasses, read from and written as TOML."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from inlay import plugins
from inlay.core.errors import FormatError, InlayError

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Augment:
    """How training images are varied. Masks are moved with the image and never interpolated.

    Parameters
    ----------
    crop
        (height, width) of a training crop, pixels.
    scale
        Smallest and largest enlargement before the crop is cut.
    focus
        Least and largest share of the crop's shorter side that the longer side of a thing takes, for crops
        round a thing drawn by lot, enlarged to fit; (0, 0), and images without things, are cut anywhere.
    flip
        Mirror left and right.
    turn
        Also mirror up and down and turn by quarter circles: for pictures without an up.
    brightness, contrast, saturation
        Largest change, as a share: 0.3 lets the factor lie in 0.7 .. 1.3.
    gamma
        Largest change of the gamma, as a share.
    invert
        Share of the crops whose colours are inverted.
    noise
        Largest deviation of added noise, grey values.
    rotate, shear
        Largest turn and shear to either side, degrees.
    mosaic
        Share of the crops put together from parts of four images.
    copy_paste
        Share of the crops into which things of another image are pasted.
    cutmix
        Share of the crops of which a rectangle comes from another image.
    """

    crop: tuple[int, int] = (256, 320)
    scale: tuple[float, float] = (0.7, 1.5)
    focus: tuple[float, float] = (0.0, 0.0)
    flip: bool = True
    turn: bool = False
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    gamma: float = 0.0
    invert: float = 0.0
    noise: float = 0.0
    rotate: float = 0.0
    shear: float = 0.0
    mosaic: float = 0.0
    copy_paste: float = 0.0
    cutmix: float = 0.0


@dataclass(frozen=True)
class Teacher:
    """How images without labels are learnt from: the running average of the network labels them.

    Parameters
    ----------
    share
        Of each batch that are such images; 0 leaves them out.
    start
        Share of the run that learns from labels alone.
    confidence
        Least probability of a pixel's class to be believed.
    score
        Least score of a thing to be believed.
    class_mix
        Share of these crops under half of the classes (or things) of a labelled crop: for images of another
        place, season or device than the labelled ones.
    """

    share: float = 0.0
    start: float = 0.2
    confidence: float = 0.9
    score: float = 0.5
    class_mix: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise InlayError(f"teacher.share is {self.share}: give 0 (none) up to 0.9 (nearly all)")
        for name in ("start", "confidence", "score", "class_mix"):
            if not 0 <= getattr(self, name) <= 1:
                raise InlayError(f"teacher.{name} is {getattr(self, name)}: give a share from 0 to 1")


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Parameters
    ----------
    seed
        Settles initial weights, order and augmentation.
    batch
        Crops looked at together, by each process.
    accumulate
        Batches whose gradients are added up for one step: large steps in little memory.
    learning_rate, weight_decay
        Of AdamW; norms and biases do not decay.
    warm_up
        Share of the run in which the rate rises from zero.
    schedule
        The fall of the rate after that: "poly" (power 0.9) or "cosine".
    rare
        Classes that a smaller share of the images shows are rare: images of them come more often, up to
        sqrt(rare / share) times (after LVIS); 0: all come alike.
    clip
        Largest norm of the gradient; 0 leaves it alone.
    average
        Decay of the running average of the weights, which is judged and kept; 0 keeps the plain weights.
    validations
        How often in a run the model is judged.
    patience
        Stop after so many validations without a better one; 0 goes on to the end.
    checkpoint_seconds
        Seconds between two checkpoints to resume from.
    device
        "auto" takes a GPU where there is one.
    precision
        "auto" takes bfloat16 where the hardware multiplies it, else float16 on a GPU; losses and weights stay
        float32.
    cache_megabytes
        Decoded images kept in memory; what does not fit is read again each time.
    """

    seed: int = 0
    batch: int = 8
    accumulate: int = 1
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.03
    schedule: Literal["poly", "cosine"] = "poly"
    rare: float = 0.0
    clip: float = 5.0
    average: float = 0.998
    validations: int = 10
    patience: int = 0
    checkpoint_seconds: float = 60.0
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    cache_megabytes: int = 2000
    augment: Augment = field(default_factory=Augment)
    teacher: Teacher = field(default_factory=Teacher)

    @property
    def unlabelled(self) -> int:
        """Crops of a batch that have no label."""
        return min(self.batch - 1, round(self.teacher.share * self.batch))

    def __post_init__(self) -> None:
        limits = {
            "batch": self.batch >= 1,
            "accumulate": self.accumulate >= 1,
            "patience": self.patience >= 0,
            "rare": 0 <= self.rare <= 1,
            "learning_rate": self.learning_rate > 0,
            "warm_up": 0 <= self.warm_up < 1,
            "average": 0 <= self.average < 1,
            "validations": self.validations >= 1,
            "augment.crop": min(self.augment.crop) >= 8,
            "augment.scale": 0 < self.augment.scale[0] <= self.augment.scale[1],
            "augment.focus": 0 <= self.augment.focus[0] <= self.augment.focus[1] <= 4
            and (self.augment.focus[0] > 0 or self.augment.focus[1] == 0),
            "augment.rotate": 0 <= self.augment.rotate <= 180,
            "augment.shear": 0 <= self.augment.shear < 80,
            **{
                f"augment.{name}": 0 <= getattr(self.augment, name) <= 1
                for name in ("invert", "mosaic", "copy_paste", "cutmix")
            },
        }
        for name, fine in limits.items():
            if not fine:
                raise InlayError(f"{name} is out of its range: see the docstring of `Training` and `Augment`")


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run: the family's name, its own settings, those of the training."""

    model: str
    family: Any  # the `Config` of the family's module
    training: Training


Config = RunConfig | Mapping[str, Any] | Path | str | None


def default_config(model: str) -> RunConfig:
    """The settings a family starts from: its own `Config`, and `Training` with the family's `RECIPE`."""
    module = plugins.load("models", model)
    return RunConfig(model, module.Config(), settings_from(Training, module.RECIPE, f"{model}.RECIPE"))


def config_of(config: Config, model: str) -> RunConfig:
    """The settings that were given in one way or another; a family's own where nothing is given."""
    if isinstance(config, RunConfig):
        return config
    if config is None:
        return default_config(model)
    return config_from(config, model) if isinstance(config, Mapping) else read_config(Path(config), model)


def read_config(path: Path, model: str | None = None, changes: Mapping[str, Any] | None = None) -> RunConfig:
    """Settings of a TOML file; what it leaves out keeps its default.

    Parameters
    ----------
    model
        The family, for a file that does not name one.
    changes
        What to change in the file's settings, as for `config_from`.

    Raises
    ------
    FormatError
        When the file is no TOML, or has an unknown or ill-typed key (naming the nearest one).
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(path, "", "there is no such config file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(path, "", f"not a TOML file ({error})") from None
    try:
        settings = config_from(table, model)
    except InlayError as error:
        raise FormatError(path, "", str(error)) from None
    return config_from(merged(table, changes), model) if changes else settings


def changes_from(words: Sequence[str]) -> dict[str, Any]:
    """A nested mapping of changes such as "training.batch=4"; values are TOML, or plain words.

    Raises
    ------
    InlayError
        When one has no "=".
    """
    table: dict[str, Any] = {}
    for each in words:
        name, equals, text = each.partition("=")
        if not equals or not all(name.split(".")):
            raise InlayError(f"{each!r} sets nothing: write NAME=VALUE, such as training.batch=4")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        for key in reversed(name.strip().split(".")):
            value = {key: value}
        table = merged(table, value)
    return table


def config_from(table: Mapping[str, Any], model: str | None = None) -> RunConfig:
    """Settings of a nested mapping with the keys `model`, `training` and the family's name."""
    name = table.get("model", model)
    if not isinstance(name, str):
        raise InlayError('the config names no model: add a line `model = "unet"`')
    if model is not None and name != model:
        raise InlayError(f"the config is for model {name!r}, asked for is {model!r}")
    module = plugins.load("models", name)
    _refuse_unknown(table, ("model", "training", name), "the config")
    own = table.get("training", {})
    recipe = merged(module.RECIPE, own) if isinstance(own, Mapping) else own
    family = settings_from(module.Config, table.get(name, {}), name)
    return RunConfig(name, family, settings_from(Training, recipe, "training"))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings; where both have a key `above` wins, tables are merged."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def settings_from(kind: type[Settings], table: Mapping[str, Any], where: str) -> Settings:
    """An instance of a frozen dataclass from a mapping, each value checked against its annotation."""
    if not isinstance(table, Mapping):
        raise InlayError(f"{where} is {table!r}; it must be a table")
    hints = get_type_hints(kind)
    names = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    _refuse_unknown(table, names, where)
    return kind(**{key: _value(value, hints[key], f"{where}.{key}") for key, value in table.items()})


def _refuse_unknown(table: Mapping[str, Any], names: list[str] | tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(names)}"
            raise InlayError(f"{where} has an unknown key {key!r}; {hint}")


def _value(value: Any, hint: Any, where: str) -> Any:
    """`value` as the annotation wants it: lists become tuples, whole numbers floats."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return (
            value
            if value is None
            else _value(value, next(a for a in arguments if a is not type(None)), where)
        )
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return settings_from(hint, value, where)
    if origin is Literal and value in arguments:
        return value
    if origin is Literal:
        raise InlayError(f"{where} is {value!r}; it can be {', '.join(map(repr, arguments))}")
    if origin is tuple and isinstance(value, list | tuple):
        return _tuple(value, arguments, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", hint) if origin is None else hint
    raise InlayError(f"{where} is {value!r}; it must be {wanted}")


def _tuple(values: list[Any] | tuple[Any, ...], kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(values)
    if len(values) != len(kinds):
        raise InlayError(f"{where} has {len(values)} values; it must have {len(kinds)}")
    return tuple(_value(value, kind, f"{where}[{i}]") for i, (value, kind) in enumerate(zip(values, kinds)))


def config_to_toml(config: RunConfig) -> str:
    """The settings as TOML; `read_config` gives the same settings back."""
    lines = [f"model = {literal(config.model)}", ""]
    for name, settings in ((config.model, config.family), ("training", config.training)):
        lines += _table(name, settings)
    return "\n".join(lines)


def _table(name: str, settings: Any) -> list[str]:
    values = {item.name: getattr(settings, item.name) for item in dataclasses.fields(settings)}
    plain = {key: value for key, value in values.items() if not dataclasses.is_dataclass(value)}
    lines = [
        f"[{name}]",
        *(f"{key} = {literal(value)}" for key, value in plain.items() if value is not None),
        "",
    ]
    for key, value in values.items():
        if dataclasses.is_dataclass(value):
            lines += _table(f"{name}.{key}", value)
    return lines


def literal(value: Any) -> str:
    """A setting as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(literal(each) for each in value)}]"
    return repr(value)
