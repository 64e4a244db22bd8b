#include "runs.hpp"
void bind_raster(nb::module_&) {}
