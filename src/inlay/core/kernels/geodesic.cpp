// Shortest paths through an image from seeds: how far each pixel is when steps across colour edges cost more.
#include <cmath>
#include <limits>
#include <queue>
#include <utility>

#include "runs.hpp"

namespace {

// Dijkstra on the 8-neighbour grid. A step costs its length plus `contrast` times the colour difference; with
// `barrier`, a path costs its most expensive colour difference instead, whatever its length.
nb::tuple geodesic(Array3<float> image, Array1<int64_t> seeds, float contrast, bool barrier) {
    const int64_t h = static_cast<int64_t>(image.shape(0)), w = static_cast<int64_t>(image.shape(1));
    const size_t channels = image.shape(2), count = seeds.shape(0);
    auto far = new_numpy<float>({static_cast<size_t>(h), static_cast<size_t>(w)});
    auto nearest = new_numpy<int32_t>({static_cast<size_t>(h), static_cast<size_t>(w)});
    float* reached = far.data();
    int32_t* owner = nearest.data();
    for (size_t k = 0; k < count; ++k)
        if (seeds.data()[k] < 0 || seeds.data()[k] >= h * w) throw std::invalid_argument("a seed lies outside the image");
    {
        nb::gil_scoped_release release;
        std::fill(reached, reached + h * w, std::numeric_limits<float>::infinity());
        std::fill(owner, owner + h * w, -1);
        using Place = std::pair<float, int32_t>;
        std::priority_queue<Place, std::vector<Place>, std::greater<Place>> open;
        for (size_t k = 0; k < count; ++k) {
            const auto at = static_cast<int32_t>(seeds.data()[k]);
            reached[at] = 0;
            owner[at] = static_cast<int32_t>(k);
            open.emplace(0.0f, at);
        }
        const float* colours = image.data();
        while (!open.empty()) {
            const auto [cost, at] = open.top();
            open.pop();
            if (cost > reached[at]) continue;
            const int64_t y = at / w, x = at % w;
            for (int64_t dy = -1; dy <= 1; ++dy) {
                for (int64_t dx = -1; dx <= 1; ++dx) {
                    const int64_t to_y = y + dy, to_x = x + dx;
                    if ((dy == 0 && dx == 0) || to_y < 0 || to_y >= h || to_x < 0 || to_x >= w) continue;
                    const int64_t to = to_y * w + to_x;
                    float squared = 0;
                    for (size_t c = 0; c < channels; ++c) {
                        const float step = colours[to * channels + c] - colours[at * channels + c];
                        squared += step * step;
                    }
                    const float edge = std::sqrt(squared);
                    const float length = dy != 0 && dx != 0 ? 1.41421356f : 1.0f;
                    const float total = barrier ? std::max(cost, edge / length) : cost + length + contrast * edge;
                    if (total < reached[to]) {
                        reached[to] = total;
                        owner[to] = owner[at];
                        open.emplace(total, static_cast<int32_t>(to));
                    }
                }
            }
        }
    }
    return nb::make_tuple(far, nearest);
}

}  // namespace

void bind_geodesic(nb::module_& m) { m.def("geodesic", &geodesic); }
