"""Model families: one module each, on shared encoders, parts, losses and decoders.

A family module has `TASK` ("semantic" or "instance"), `Config` (a frozen dataclass), `RECIPE` (what its
training settings start from), `adapt(config, facts) -> Config` (fills in what depends on the data) and
`build(config, classes) -> nn.Module`, whose `forward(images)` gives raw tensors (pixels 0 .. 255 in, and no
branch on values), `loss(raw, targets)` named losses, `decode(raw, sizes)` one `Segmentation` for each image.
"""
