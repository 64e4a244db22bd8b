// Counting pairs of labels, matching predictions to truths, and precision over recall.
#include <bit>

#include "matching.hpp"
#include "threads.hpp"

namespace {

// ---- pairs of values of two maps ----

// Calls piece(a, b, length) for each stretch of pixels on which both maps keep their value.
template <typename F> void each_stretch(const int32_t* a, const int32_t* b, size_t pixels, F piece) {
    for (size_t i = 0; i < pixels;) {
        const int32_t x = a[i], y = b[i];
        size_t stop = i + 1;
        while (stop < pixels && a[stop] == x && b[stop] == y) ++stop;
        piece(x, y, static_cast<int64_t>(stop - i));
        i = stop;
    }
}

struct Pairs {
    std::vector<int32_t> a, b;
    std::vector<int64_t> pixels;

    void add(int64_t code, int64_t length, int64_t m) {
        a.push_back(static_cast<int32_t>(code / m));
        b.push_back(static_cast<int32_t>(code % m));
        pixels.push_back(length);
    }
};

// Pixels of each pair of values (below n, below m) that occurs, in rising order. Values outside belong to no pair.
// A table where it fits the cache, sorted stretches where thousands of segments would make it huge.
nb::tuple pairs(Array2<int32_t> a, Array2<int32_t> b, int64_t n, int64_t m) {
    if (a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1)) throw nb::value_error("maps differ in size");
    const size_t pixels = a.shape(0) * a.shape(1);
    Pairs out;
    {
        nb::gil_scoped_release free;
        const auto valid = [&](int32_t x, int32_t y) { return x >= 0 && y >= 0 && x < n && y < m; };
        if (n * m <= (1 << 18)) {
            std::vector<int64_t> table(static_cast<size_t>(n * m), 0);
            each_stretch(a.data(), b.data(), pixels, [&](int32_t x, int32_t y, int64_t length) {
                if (valid(x, y)) table[static_cast<size_t>(x * m + y)] += length;
            });
            for (int64_t code = 0; code < n * m; ++code)
                if (table[static_cast<size_t>(code)]) out.add(code, table[static_cast<size_t>(code)], m);
        } else {
            std::vector<std::pair<int64_t, int64_t>> stretches;
            each_stretch(a.data(), b.data(), pixels, [&](int32_t x, int32_t y, int64_t length) {
                if (valid(x, y)) stretches.emplace_back(static_cast<int64_t>(x) * m + y, length);
            });
            std::sort(stretches.begin(), stretches.end());
            for (size_t k = 0; k < stretches.size();) {
                const int64_t code = stretches[k].first;
                int64_t length = 0;
                for (; k < stretches.size() && stretches[k].first == code; ++k) length += stretches[k].second;
                out.add(code, length, m);
            }
        }
    }
    return nb::make_tuple(to_numpy(std::move(out.a)), to_numpy(std::move(out.b)), to_numpy(std::move(out.pixels)));
}

// ---- boxes ----

// (N, M) IoU of boxes (x0, y0, width, height); over the area of the first where the second is a crowd.
Numpy<double> box_ious(Array2<double> boxes, Array2<double> others, Array1<uint8_t> crowd) {
    const size_t n = boxes.shape(0), m = others.shape(0);
    auto out = new_numpy<double>({n, m});
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < m; ++j)
            out.data()[i * m + j] = box_iou(boxes.data() + i * 4, others.data() + j * 4, crowd.data()[j]);
    return out;
}

// ---- greedy matching of one sample ----

// Predictions (rows of iou) come in falling order of score. Bit t of hit[a, d]: prediction d has a judged truth of
// area range a at threshold t; bit t of miss: it has none and counts as false. Neither: it is ignored.
nb::tuple match(Array2<double> iou, Array1<int32_t> prediction_class, Array1<int32_t> truth_class,
                Array1<uint8_t> crowd, Array2<uint8_t> ignored, Array2<uint8_t> outside, Array1<double> thresholds) {
    const size_t D = iou.shape(0), G = iou.shape(1), A = ignored.shape(0);
    Matcher matcher(thresholds.data(), thresholds.shape(0));
    std::vector<Bits> hit(A * D), miss(A * D);
    {
        nb::gil_scoped_release free;
        matcher.match({iou.data(), D, G, A, prediction_class.data(), truth_class.data(), crowd.data(), ignored.data(),
                       outside.data()},
                      D, hit.data(), miss.data());
    }
    return nb::make_tuple(to_numpy(std::move(hit), {A, D}), to_numpy(std::move(miss), {A, D}));
}

// ---- what each prediction got right or wrong ----

enum Kind : uint8_t { right, confused, duplicate, inexact, background, on_crowd };

// Predictions are taken in `order`; each takes the free truth it covers best (IoU of at least `enough`), its own class
// first. Kind of each, and the truth it took or -1. `touching`: the IoU under which it lies on background.
nb::tuple explain(Array2<double> iou, Array1<int32_t> prediction_class, Array1<int32_t> truth_class,
                  Array1<uint8_t> crowd, Array1<int64_t> order, double enough, double touching) {
    const size_t D = iou.shape(0), G = iou.shape(1);
    std::vector<uint8_t> kind(D, background), taken(G, 0);
    std::vector<int32_t> partner(D, -1);
    for (size_t i = 0; i < D; ++i) {
        const size_t d = static_cast<size_t>(order.data()[i]);
        const double* row = iou.data() + d * G;
        int64_t own = -1, other = -1;
        bool again = false, crowded = false;
        double nearest = 0;
        for (size_t g = 0; g < G; ++g) {
            if (crowd.data()[g]) {
                crowded |= row[g] >= enough;
                continue;
            }
            nearest = std::max(nearest, row[g]);
            if (row[g] < enough) continue;
            if (taken[g]) {
                again = true;
                continue;
            }
            int64_t& best = truth_class.data()[g] == prediction_class.data()[d] ? own : other;
            if (best < 0 || row[g] > row[best]) best = static_cast<int64_t>(g);
        }
        const int64_t mine = own >= 0 ? own : other;
        if (mine >= 0) taken[static_cast<size_t>(mine)] = 1;
        partner[d] = static_cast<int32_t>(mine);
        kind[d] = own >= 0 ? right : other >= 0 ? confused : crowded ? on_crowd : again ? duplicate
                  : nearest >= touching ? inexact : background;
    }
    return nb::make_tuple(to_numpy(std::move(kind)), to_numpy(std::move(partner)));
}

// ---- precision over recall of all samples ----

struct Event {
    int64_t hits, judged;  // so far, this hit among them
};

// Predictions of one group (a class, or a sample) in falling order of score, for one area range and rank limit.
struct Ranking {
    const Bits *hit, *miss;
    const int32_t *rank, *weight, *sample;  // weight of each sample, or null for one each
    int64_t begin, end;
    int32_t limit;
};

// Calls piece(t) for each set bit.
template <typename F> inline void each_bit(uint32_t bits, F piece) {
    for (; bits; bits &= bits - 1) piece(static_cast<size_t>(std::countr_zero(bits)));
}

// The hits at each threshold with the counts up to them. Precision falls between hits, so nothing else matters.
void collect(const Ranking& ranking, size_t T, std::vector<std::vector<Event>>& events) {
    const uint32_t all = (1u << T) - 1;
    std::vector<int64_t> hits(T, 0), ignored(T, 0);
    int64_t seen = 0;
    for (size_t t = 0; t < T; ++t) events[t].clear();
    for (int64_t d = ranking.begin; d < ranking.end; ++d) {
        const uint32_t hit = ranking.hit[d], judged = hit | ranking.miss[d];
        if (!judged || ranking.rank[d] >= ranking.limit) continue;
        const int64_t weight = ranking.weight ? ranking.weight[ranking.sample[d]] : 1;
        if (weight == 0) continue;
        seen += weight;
        each_bit(all & ~judged, [&](size_t t) { ignored[t] += weight; });
        each_bit(hit, [&](size_t t) {
            hits[t] += weight;
            events[t].push_back({hits[t], seen - ignored[t]});
        });
    }
}

// The fewest hits whose recall reaches each recall threshold, in floating point: h / positives >= recall.
void fewest_hits(int64_t positives, Array1<double> recalls, std::vector<int64_t>& fewest) {
    fewest.resize(recalls.shape(0));
    const double total = static_cast<double>(positives);
    for (size_t r = 0; r < recalls.shape(0); ++r) {
        int64_t hits = std::max<int64_t>(0, static_cast<int64_t>(recalls.data()[r] * total) - 1);
        while (static_cast<double>(hits) / total < recalls.data()[r]) ++hits;
        fewest[r] = hits;
    }
}

// Calls cell(r, precision) for each recall threshold: the best precision at that recall or beyond (0 where it is
// never reached), and returns the final recall. The formulas are pycocotools', to the last bit.
template <typename F>
double envelope(const std::vector<Event>& events, int64_t positives, const std::vector<int64_t>& fewest,
                std::vector<double>& best, F cell) {
    const size_t n = events.size(), R = fewest.size();
    best.resize(n);
    double highest = 0;
    for (size_t i = n; i-- > 0;) {
        const double hits = static_cast<double>(events[i].hits), judged = static_cast<double>(events[i].judged);
        highest = std::max(highest, hits / (judged + 0x1p-52));
        best[i] = highest;
    }
    size_t r = 0;
    for (size_t i = 0; i < n; ++i)
        for (; r < R && fewest[r] <= events[i].hits; ++r) cell(r, best[i]);
    for (; r < R; ++r) cell(r, 0.0);
    return n ? static_cast<double>(events[n - 1].hits) / static_cast<double>(positives) : 0.0;
}

// Groups of ranked predictions with their bits, as both functions below take them.
struct Table {
    Offsets offsets;                  // (K + 1) predictions of each group
    Array2<Bits> hit, miss;           // (A, D)
    Array1<int32_t> rank;             // (D) place among its sample's predictions of its class
    Array1<int32_t> area_of, limits;  // (C) cells wanted: row of hit and miss, rank limit

    Ranking ranking(size_t k, size_t c) const {
        const size_t shift = static_cast<size_t>(area_of.data()[c]) * hit.shape(1);
        return {hit.data() + shift, miss.data() + shift, rank.data(),        nullptr,
                nullptr,            offsets.data()[k],   offsets.data()[k + 1], limits.data()[c]};
    }
};

// (T, R, K, C) precision and (T, K, C) recall; -1 where a group has no positive.
nb::tuple precision_recall(Offsets offsets, Array2<Bits> hit, Array2<Bits> miss, Array1<int32_t> rank,
                           Array1<int32_t> area_of, Array1<int32_t> limits, Array2<int64_t> positives,
                           Array1<double> recalls, size_t T) {
    const Table table{offsets, hit, miss, rank, area_of, limits};
    const size_t K = offsets.shape(0) - 1, C = area_of.shape(0), R = recalls.shape(0);
    std::vector<double> precision(T * R * K * C, -1.0), recall(T * K * C, -1.0);
    {
        nb::gil_scoped_release free;
        in_shares(K, static_cast<double>(hit.shape(1)), 1e4, 0, [&](size_t, size_t begin, size_t end) {
            std::vector<std::vector<Event>> events(T);
            std::vector<double> best;
            std::vector<int64_t> fewest;
            for (size_t k = begin; k < end; ++k)
                for (size_t c = 0; c < C; ++c) {
                    const int64_t wanted = positives.data()[k * C + c];
                    if (wanted == 0) continue;
                    collect(table.ranking(k, c), T, events);
                    fewest_hits(wanted, recalls, fewest);
                    for (size_t t = 0; t < T; ++t)
                        recall[(t * K + k) * C + c] = envelope(events[t], wanted, fewest, best, [&](size_t r, double p) {
                            precision[((t * R + r) * K + k) * C + c] = p;
                        });
                }
        });
    }
    return nb::make_tuple(to_numpy(std::move(precision), {T, R, K, C}), to_numpy(std::move(recall), {T, K, C}));
}

// (B, T, K, C) precision averaged over recalls, and recall, when sample i counts weights[b, i] times.
nb::tuple mean_precision(Offsets offsets, Array2<Bits> hit, Array2<Bits> miss, Array1<int32_t> rank,
                         Array1<int32_t> area_of, Array1<int32_t> limits, Array3<int64_t> positives,
                         Array1<double> recalls, size_t T, Array1<int32_t> sample, Array2<int32_t> weights) {
    const Table table{offsets, hit, miss, rank, area_of, limits};
    const size_t K = offsets.shape(0) - 1, C = area_of.shape(0), R = recalls.shape(0);
    const size_t B = weights.shape(0), N = weights.shape(1);
    std::vector<double> precision(B * T * K * C, -1.0), recall(B * T * K * C, -1.0);
    {
        nb::gil_scoped_release free;
        std::vector<std::vector<Event>> events(T);
        std::vector<double> best;
        std::vector<int64_t> fewest;
        for (size_t b = 0; b < B; ++b)
            for (size_t k = 0; k < K; ++k)
                for (size_t c = 0; c < C; ++c) {
                    const int64_t wanted = positives.data()[(b * K + k) * C + c];
                    if (wanted == 0) continue;
                    Ranking ranking = table.ranking(k, c);
                    ranking.weight = weights.data() + b * N;
                    ranking.sample = sample.data();
                    collect(ranking, T, events);
                    fewest_hits(wanted, recalls, fewest);
                    for (size_t t = 0; t < T; ++t) {
                        double sum = 0;
                        const size_t at = ((b * T + t) * K + k) * C + c;
                        recall[at] = envelope(events[t], wanted, fewest, best, [&](size_t, double p) { sum += p; });
                        precision[at] = sum / static_cast<double>(R);
                    }
                }
    }
    return nb::make_tuple(to_numpy(std::move(precision), {B, T, K, C}), to_numpy(std::move(recall), {B, T, K, C}));
}

}  // namespace

void bind_match(nb::module_& m) {
    m.def("pairs", &pairs);
    m.def("box_iou", &box_ious);
    m.def("match", &match);
    m.def("explain", &explain);
    m.def("precision_recall", &precision_recall);
    m.def("mean_precision", &mean_precision);
}
