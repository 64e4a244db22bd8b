// Shortest paths through an image from seeds: how far each pixel is when steps across colour edges cost more.
#include <cmath>
#include <cstring>
#include <limits>

#include "runs.hpp"

namespace {

constexpr float DIAGONAL = 1.41421356f;
constexpr float NEVER = -std::numeric_limits<float>::infinity();  // nothing is nearer: no path leads there

// What a step from each pixel of a grid costs, to the right, down left, down, and down right; infinite where a colour is
// no number. The grid has a rim of pixels that no path enters, so that no step needs to look where the image ends.
struct Steps {
    int64_t w;  // of the grid
    std::vector<float> cost[4];
    float dearest = 0, cheapest = std::numeric_limits<float>::infinity(), least = cheapest;  // `least` of those above 0

    // A step costs its length plus `contrast` times the difference of colours; with `barrier` that difference alone.
    Steps(Array3<float> image, float contrast, bool barrier) : w(static_cast<int64_t>(image.shape(1)) + 2) {
        const int64_t h = static_cast<int64_t>(image.shape(0)), columns = w - 2, channels = image.shape(2);
        for (auto& each : cost) each.assign((h + 2) * w, std::numeric_limits<float>::infinity());
        const int64_t away[4][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1}};
        for (int way = 0; way < 4; ++way) {
            const auto [down, right] = away[way];
            const float length = down && right ? DIAGONAL : 1.0f;
            for (int64_t y = 0; y + down < h; ++y) {
                const float* from = image.data() + y * columns * channels;
                const float* to = from + (down * columns + right) * channels;
                float* out = cost[way].data() + (y + 1) * w + 1;
                for (int64_t x = right < 0 ? 1 : 0; x < columns - (right > 0 ? 1 : 0); ++x) {
                    float squared = 0;
                    for (int64_t c = x * channels; c < (x + 1) * channels; ++c) {
                        const float step = to[c] - from[c];
                        squared += step * step;
                    }
                    const float edge = std::sqrt(squared), total = barrier ? edge / length : length + contrast * edge;
                    if (std::isnan(total)) continue;
                    out[x] = total;
                    if (total < std::numeric_limits<float>::infinity()) {
                        dearest = std::max(dearest, total);
                        cheapest = std::min(cheapest, total);
                        if (total > 0) least = std::min(least, total);
                    }
                }
            }
        }
    }
};

// Pixels to go on from, in buckets of about equal cost: who is taken out of the first is as near as any, or nearly; a
// pixel that is reached more cheaply later is put in once more. A ring is enough, as no step leads further than round it.
class Front {
  public:
    explicit Front(int64_t buckets) : ring_(buckets, -1) {}

    void put(int64_t bucket, float cost, int32_t at) {
        const auto place = std::max(bucket, bucket_) % static_cast<int64_t>(ring_.size());
        places_.push_back({cost, at, ring_[place]});
        ring_[place] = static_cast<int32_t>(places_.size()) - 1;
        ++waiting_;
    }
    bool take(float& cost, int32_t& at) {
        if (!waiting_) return false;
        auto bucket = bucket_ % static_cast<int64_t>(ring_.size());
        for (; ring_[bucket] < 0; ++bucket_)
            if (++bucket == static_cast<int64_t>(ring_.size())) bucket = 0;
        const Place place = places_[ring_[bucket]];
        ring_[bucket] = place.next;
        --waiting_;
        cost = place.cost, at = place.at;
        return true;
    }

  private:
    struct Place {
        float cost;
        int32_t at, next;
    };
    std::vector<int32_t> ring_;
    std::vector<Place> places_;
    int64_t bucket_ = 0, waiting_ = 0;
};

// The bucket of a sum of steps. Buckets are as wide as the cheapest step: nobody is reached from his own bucket, so
// nobody is taken out too early.
struct Sums {
    float scale;
    int64_t buckets;

    explicit Sums(const Steps& steps) {
        const float width = std::max(steps.cheapest, steps.dearest / 4096);
        scale = 1 / width;
        buckets = static_cast<int64_t>(steps.dearest / width) + 3;
    }
    float operator()(float cost, float step) const { return cost + step; }
    int64_t bucket(float cost) const { return static_cast<int64_t>(cost * scale); }
};

// The bucket of the dearest of all steps: 512 to each doubling, as small ones differ too; 0 for a path of no cost.
struct Barriers {
    int64_t least, buckets;

    explicit Barriers(const Steps& steps) : least(bits(steps.least) - 1), buckets(bucket(steps.dearest) + 1) {}
    static int64_t bits(float cost) {
        uint32_t found;
        std::memcpy(&found, &cost, sizeof found);
        return found >> 14;
    }
    float operator()(float cost, float step) const { return std::max(cost, step); }
    int64_t bucket(float cost) const { return cost > 0 ? bits(cost) - least : 0; }
};

// Costs and owners of every pixel of the grid, from seeds that are in `reached` and `owner` with cost 0.
template <typename Rule>
void spread(const Steps& steps, const std::vector<int32_t>& seeds, std::vector<float>& reached, std::vector<int32_t>& owner) {
    const Rule rule(steps);
    Front front(rule.buckets);
    for (int32_t seed : seeds) front.put(0, 0, seed);
    const auto w = static_cast<int32_t>(steps.w);
    const float *right = steps.cost[0].data(), *down_left = steps.cost[1].data();
    const float *down = steps.cost[2].data(), *down_right = steps.cost[3].data();
    float cost;
    int32_t at;
    while (front.take(cost, at)) {
        if (cost > reached[at]) continue;
        const int32_t whose = owner[at];
        const auto go = [&](int32_t to, float step) {
            const float total = rule(cost, step);
            if (total < reached[to]) {
                reached[to] = total;
                owner[to] = whose;
                front.put(rule.bucket(total), total, to);
            }
        };
        go(at + 1, right[at]), go(at - 1, right[at - 1]);
        go(at + w, down[at]), go(at - w, down[at - w]);
        go(at + w - 1, down_left[at]), go(at - w + 1, down_left[at - w + 1]);
        go(at + w + 1, down_right[at]), go(at - w - 1, down_right[at - w - 1]);
    }
}

// For each group of seeds, (n, h, w) the cost of the cheapest path from one of them and which it is, counted in the
// group. With `barrier`, a path costs its dearest step instead of the sum of all. Dijkstra with buckets (Dial 1969).
nb::tuple geodesic(Array3<float> image, Array1<int64_t> seeds, Offsets offsets, float contrast, bool barrier) {
    const size_t h = image.shape(0), w = image.shape(1), groups = offsets.shape(0) - 1;
    if ((h + 2) * (w + 2) > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
        throw std::invalid_argument("the image is too large");
    for (size_t k = 0; k < seeds.shape(0); ++k)
        if (seeds.data()[k] < 0 || seeds.data()[k] >= static_cast<int64_t>(h * w))
            throw std::invalid_argument("a seed lies outside the image");
    auto far = new_numpy<float>({groups, h, w});
    auto nearest = new_numpy<int32_t>({groups, h, w});
    {
        nb::gil_scoped_release release;
        const Steps steps(image, contrast, barrier);
        std::vector<float> reached(steps.cost[0].size());
        std::vector<int32_t> owner(reached.size()), starts;
        for (size_t group = 0; group < groups; ++group) {
            std::fill(reached.begin(), reached.end(), NEVER);
            for (size_t y = 1; y <= h; ++y)
                std::fill_n(reached.begin() + y * (w + 2) + 1, w, std::numeric_limits<float>::infinity());
            std::fill(owner.begin(), owner.end(), -1);
            starts.clear();
            for (int64_t k = offsets.data()[group]; k < offsets.data()[group + 1]; ++k) {
                const size_t at = seeds.data()[k];
                starts.push_back(static_cast<int32_t>((at / w + 1) * (w + 2) + at % w + 1));
                reached[starts.back()] = 0;
                owner[starts.back()] = static_cast<int32_t>(k - offsets.data()[group]);
            }
            barrier ? spread<Barriers>(steps, starts, reached, owner) : spread<Sums>(steps, starts, reached, owner);
            for (size_t y = 0; y < h; ++y) {
                const size_t from = (y + 1) * (w + 2) + 1, to = (group * h + y) * w;
                std::copy_n(reached.begin() + from, w, far.data() + to);
                std::copy_n(owner.begin() + from, w, nearest.data() + to);
            }
        }
    }
    return nb::make_tuple(far, nearest);
}

}  // namespace

void bind_geodesic(nb::module_& m) { m.def("geodesic", &geodesic); }
