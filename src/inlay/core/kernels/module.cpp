#include "runs.hpp"

NB_MODULE(kernels, m) {
    m.doc() = "Mask kernels over flat run lengths. The typed signatures are in kernels.pyi.";
    bind_runs(m);
    bind_strings(m);
    bind_raster(m);
    bind_graph(m);
    bind_trace(m);
    bind_arcs(m);
    bind_match(m);
    bind_morphology(m);
    bind_placing(m);
    bind_distance(m);
    bind_coco_text(m);
    bind_judge(m);
    bind_tally(m);
    bind_geodesic(m);
    bind_neighbours(m);
    bind_png(m);
    bind_coco_write(m);
}
