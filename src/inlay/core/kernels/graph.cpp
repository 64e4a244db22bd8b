#include "runs.hpp"
void bind_graph(nb::module_&) {}
