"""Training and prediction: `train` writes a run folder, `predict` applies one."""

from importlib.util import find_spec

from inlay.core.errors import MissingExtraError

for _needed in ("torch", "cv2", "safetensors"):
    if find_spec(_needed) is None:
        raise MissingExtraError(_needed, "train")

from inlay.training.loop import train  # noqa: E402
from inlay.training.prediction import predict  # noqa: E402
from inlay.training.rate_finder import find_rate  # noqa: E402
from inlay.training.run import Run  # noqa: E402

__all__ = ["Run", "find_rate", "predict", "train"]
