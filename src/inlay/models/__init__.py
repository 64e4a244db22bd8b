"""Model families: one module each, on shared encoders, parts, losses and decoders.

A family module has `TASK` ("semantic", "instance", "panoptic", or "any": by its settings and the kinds
of the classes), `Config` (a frozen dataclass), `RECIPE` (what its training settings start from),
`adapt(config, facts) -> Config` (fills in what depends on the data) and `build(config, classes)`, a
`nn.Module` whose `forward(images)` gives raw tensors (pixels 0 .. 255 in, and no branch on values),
`loss(raw, targets)` named losses, `decode(raw, sizes)` one `Segmentation` for each image. If it has
`reach(share)`, that is told before each step how much of the run is done.
"""
