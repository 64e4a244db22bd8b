// Average precision over whole data sets: the masks or boxes of all samples matched in one call, without a mask of
// which no truth of its class is in its sample ever being kept.
#include <numeric>
#include <optional>

#include "matching.hpp"
#include "morphology.hpp"
#include "run_text.hpp"
#include "stretches.hpp"
#include "threads.hpp"

namespace {

struct Place {
    int32_t class_id;
    uint32_t row;
    double score;

    bool operator<(const Place& other) const {
        if (class_id != other.class_id) return class_id < other.class_id;
        return score != other.score ? score > other.score : row < other.row;
    }
};

// The predictions of one sample in COCO's order: by class, then by falling score.
void by_class_and_score(const int32_t* class_id, const double* score, size_t first, size_t n,
                        std::vector<Place>& order) {
    order.clear();
    for (size_t d = first; d < first + n; ++d) order.push_back({class_id[d], static_cast<uint32_t>(d), score[d]});
    std::sort(order.begin(), order.end());
}

bool outside(double area, const double* range) { return area < range[0] || area > range[1]; }

struct Judged {
    Roomy<uint32_t> order;  // prediction in each place
    Roomy<Bits> hit, miss;  // (A, D)
    Roomy<int32_t> rank;    // place among its sample's predictions of its class
};

// What both kinds share: the samples, which predictions and truths they have, and COCO's rule.
struct Samples {
    Offsets starts, truth_starts;
    Array1<int32_t> class_id, truth_class;
    Array1<double> score, truth_area;
    Array1<uint8_t> crowd;
    Array2<double> areas;
    Array1<double> thresholds;

    size_t count() const { return starts.shape(0) - 1; }

    // iou(d, g) of prediction d and truth g of one class, area(d): all that a kind adds. make() gives each thread an
    // object with begin(sample), which gets ready, and these two.
    template <typename F> Judged judge(double cost, double grain, int threads, F make) const {
        const size_t D = class_id.shape(0), A = areas.shape(0);
        Judged out{Roomy<uint32_t>(D), Roomy<Bits>(A * D), Roomy<Bits>(A * D), Roomy<int32_t>(D)};
        in_shares(count(), cost, grain, threads, [&](size_t, size_t begin, size_t end) {
            auto kind = make();
            Share share{*this, Matcher(thresholds.data(), thresholds.shape(0)), out};
            for (size_t s = begin; s < end; ++s) {
                kind.begin(s);
                share.sample(s, kind);
            }
        });
        return out;
    }

  private:
    struct Share {
        const Samples& all;
        Matcher matcher;
        Judged& out;
        std::vector<Place> order{};
        std::vector<double> iou{}, area{};
        std::vector<int32_t> class_id{};
        std::vector<uint8_t> ignored{}, beyond{};

        template <typename K> void sample(size_t s, K& kind) {
            const auto first = static_cast<size_t>(all.starts.data()[s]);
            const auto g0 = static_cast<size_t>(all.truth_starts.data()[s]);
            const size_t n = static_cast<size_t>(all.starts.data()[s + 1]) - first;
            const size_t G = static_cast<size_t>(all.truth_starts.data()[s + 1]) - g0;
            const int32_t* truth_class = all.truth_class.data() + g0;
            by_class_and_score(all.class_id.data(), all.score.data(), first, n, order);
            iou.assign(n * G, 0), area.resize(n), class_id.resize(n);
            for (size_t d = 0; d < n; ++d) {
                class_id[d] = order[d].class_id;
                out.order[first + d] = order[d].row;
                out.rank[first + d] = d && class_id[d] == class_id[d - 1] ? out.rank[first + d - 1] + 1 : 0;
                bool wanted = false;
                for (size_t g = 0; g < G; ++g) wanted |= truth_class[g] == class_id[d];
                area[d] = kind.open(order[d].row, wanted);
                for (size_t g = 0; wanted && g < G; ++g)
                    if (truth_class[g] == class_id[d]) iou[d * G + g] = kind.iou(order[d].row, g0 + g);
            }
            match(first, g0, n, G);
        }
        void match(size_t first, size_t g0, size_t n, size_t G) {
            const size_t A = all.areas.shape(0);
            ignored.resize(A * G), beyond.resize(A * n);
            for (size_t a = 0; a < A; ++a) {
                const double* range = all.areas.data() + 2 * a;
                for (size_t g = 0; g < G; ++g)
                    ignored[a * G + g] = all.crowd.data()[g0 + g] || outside(all.truth_area.data()[g0 + g], range);
                for (size_t d = 0; d < n; ++d) beyond[a * n + d] = outside(area[d], range);
            }
            matcher.match({iou.data(), n, G, A, class_id.data(), all.truth_class.data() + g0, all.crowd.data() + g0,
                           ignored.data(), beyond.data()},
                          all.class_id.shape(0), out.hit.data() + first, out.miss.data() + first);
        }
    };
};

struct BrokenText {
    size_t row;
};

// Masks whose runs are read from text when they are wanted.
class MaskKind {
  public:
    MaskKind(const uint8_t* text, const int64_t* spans, const int64_t* pixels, const Stretches& truths,
             const int64_t* truth_area, const uint8_t* crowd)
        : text_(text), spans_(spans), pixels_(pixels), truths_(truths), truth_area_(truth_area), crowd_(crowd) {}

    void begin(size_t) {}
    // The area of prediction d, whose stretches are kept until the next call if they are wanted.
    double open(uint32_t d, bool wanted) {
        const uint8_t *begin = text_ + spans_[2 * d], *end = text_ + spans_[2 * d + 1];
        uint64_t at = 0, area = 0;
        bool value = false, good = false;
        size_t n = 0;
        if (wanted) {
            own_.start.resize(static_cast<size_t>(end - begin)), own_.stop.resize(own_.start.size());
            good = each_length(begin, end, true, [&](uint64_t length) {
                own_.start[n] = static_cast<uint32_t>(at), own_.stop[n] = static_cast<uint32_t>(at + length);
                n += value && length;  // written over by the next unless it is foreground
                area += value ? length : 0;
                at += length, value = !value;
            });
        } else {
            good = each_length(begin, end, true, [&](uint64_t length) {
                area += value ? length : 0;
                at += length, value = !value;
            });
        }
        if (!good || at != static_cast<uint64_t>(pixels_[d])) throw BrokenText{d};
        own_.start.resize(n), own_.stop.resize(n);
        own_.ends.back() = n;
        area_ = static_cast<double>(area);
        return area_;
    }
    double iou(uint32_t, size_t g) const {
        if (own_.start.empty() || truths_.ends[g] == truths_.ends[g + 1]) return 0;
        const auto shared = static_cast<double>(shared_pixels(own_, 0, truths_, g));
        const double all = crowd_[g] ? area_ : area_ + static_cast<double>(truth_area_[g]) - shared;
        return all > 0 ? shared / all : 0;
    }

  protected:
    const uint8_t* text_;
    const int64_t *spans_, *pixels_;
    const Stretches& truths_;
    const int64_t* truth_area_;
    const uint8_t* crowd_;
    Stretches own_{{}, {}, {0, 0}};
    double area_ = 0;
};

// Masks that are as alike as they are or as their boundary bands are, whichever is less; crowds by the masks alone.
// Bands are made where the masks are alike enough for a match.
class BoundaryKind : public MaskKind {
  public:
    BoundaryKind(const MaskKind& masks, const Samples& samples, const int64_t* sizes, const int32_t* widths)
        : MaskKind(masks), samples_(samples), sizes_(sizes), widths_(widths),
          lowest_(*std::min_element(samples.thresholds.data(), samples.thresholds.data() + samples.thresholds.shape(0))) {}

    void begin(size_t sample) {
        first_ = static_cast<size_t>(samples_.truth_starts.data()[sample]);
        const auto truths = static_cast<size_t>(samples_.truth_starts.data()[sample + 1]) - first_;
        height_ = static_cast<uint64_t>(sizes_[2 * sample]);
        bands_.emplace(widths_[sample], height_, static_cast<uint64_t>(sizes_[2 * sample + 1]));
        place_.assign(truths, NONE);
        theirs_.clear();
    }
    double open(uint32_t d, bool wanted) {
        mine_.clear();
        return MaskKind::open(d, wanted);
    }
    double iou(uint32_t d, size_t g) {
        const double whole = MaskKind::iou(d, g);
        if (crowd_[g] || whole < lowest_) return whole;
        if (mine_.ends.size() == 1) add_band(own_, 0, mine_);
        size_t& place = place_[g - first_];
        if (place == NONE) place = theirs_.ends.size() - 1, add_band(truths_, g, theirs_);
        const auto shared = static_cast<double>(shared_pixels(mine_, 0, theirs_, place));
        const double all = static_cast<double>(mine_.area(0)) + static_cast<double>(theirs_.area(place)) - shared;
        return std::min(whole, all > 0 ? shared / all : 0);
    }

  private:
    static constexpr size_t NONE = SIZE_MAX;

    void add_band(const Stretches& masks, size_t i, Stretches& out) {
        mask_.read_runs([&](auto piece) { masks.each(i, piece); }, height_);
        built_ = {};
        bands_->append(mask_, built_);
        out.add(built_);
    }

    const Samples& samples_;
    const int64_t* sizes_;
    const int32_t* widths_;
    double lowest_;
    size_t first_ = 0;
    uint64_t height_ = 0;
    std::optional<Bands> bands_;
    Columns mask_;
    RunBuilder built_;
    Stretches mine_{{}, {}, {0}}, theirs_{{}, {}, {0}};
    std::vector<size_t> place_;  // of the band of each truth of the sample in `theirs_`
};

// Boxes x, y, width, height.
struct BoxKind {
    const double *boxes, *truths, *area;
    const uint8_t* crowd;

    void begin(size_t) {}
    double open(uint32_t d, bool) const { return area[d]; }
    double iou(uint32_t d, size_t g) const { return box_iou(boxes + 4 * d, truths + 4 * g, crowd[g]); }
};

nb::tuple result(Judged&& judged, size_t A) {
    const size_t D = judged.order.size();
    return nb::make_tuple(to_numpy(std::move(judged.order)), to_numpy(std::move(judged.rank)),
                          to_numpy(std::move(judged.hit), {A, D}), to_numpy(std::move(judged.miss), {A, D}));
}

void check(const Samples& samples) {
    const auto fits = [](const Offsets& starts, size_t last) {
        const int64_t* at = starts.data();
        const size_t n = starts.shape(0);
        bool rising = n > 0 && at[0] == 0 && at[n - 1] == static_cast<int64_t>(last);
        for (size_t i = 1; i < n && rising; ++i) rising = at[i - 1] <= at[i];
        return rising;
    };
    const size_t D = samples.class_id.shape(0), G = samples.truth_class.shape(0);
    if (!fits(samples.starts, D) || !fits(samples.truth_starts, G) ||
        samples.starts.shape(0) != samples.truth_starts.shape(0) || samples.score.shape(0) != D ||
        samples.truth_area.shape(0) != G || samples.crowd.shape(0) != G ||
        samples.areas.shape(1) != 2)
        throw std::invalid_argument("columns of samples do not fit together");
}

// (order, rank, hit, miss) of masks: predictions are (D, 2) spans of text in printable form of D images of `pixels`,
// truths are run lengths. Or the first row whose text is broken. With a `width` above 0 for each sample, boundary IoU
// counts too, of bands so wide.
nb::object judge_masks(Offsets starts, Offsets truth_starts, Array1<int32_t> class_id, Array1<int32_t> truth_class,
                       Array1<double> score, Array1<double> truth_area, Array1<uint8_t> crowd, Array2<double> areas,
                       Array1<double> thresholds, Array1<uint8_t> text, Array2<int64_t> spans, Array2<int64_t> sizes,
                       Counts counts, Offsets offsets, Array1<int32_t> widths, int threads) {
    const Samples samples{starts, truth_starts, class_id, truth_class, score, truth_area, crowd, areas, thresholds};
    check(samples);
    const size_t D = class_id.shape(0), G = truth_class.shape(0);
    const size_t S = samples.count(), bands = widths.shape(0);
    if (spans.shape(0) != D || spans.shape(1) != 2 || offsets.shape(0) != G + 1 || sizes.shape(0) != S ||
        sizes.shape(1) != 2 || (bands && bands != S) || (bands && !thresholds.shape(0)))
        throw std::invalid_argument("masks of samples do not fit together");
    check_spans(spans, text.shape(0));
    Judged judged;
    try {
        nb::gil_scoped_release free;
        const Stretches truths(counts, offsets);
        std::vector<int64_t> drawn(G), pixels(D);
        for (size_t g = 0; g < G; ++g) drawn[g] = truths.area(g);
        for (size_t s = 0; s < S; ++s)
            std::fill(pixels.begin() + starts.data()[s], pixels.begin() + starts.data()[s + 1],
                      sizes.data()[2 * s] * sizes.data()[2 * s + 1]);
        const MaskKind masks(text.data(), spans.data(), pixels.data(), truths, drawn.data(), crowd.data());
        const auto cost = static_cast<double>(text.shape(0));
        const auto banded = [&] { return BoundaryKind(masks, samples, sizes.data(), widths.data()); };
        judged = bands ? samples.judge(cost, 2e5, threads, banded)
                       : samples.judge(cost, 1e6, threads, [&] { return masks; });
    } catch (const BrokenText& broken) {
        return nb::int_(broken.row);
    }
    return result(std::move(judged), areas.shape(0));
}

// The same of (D, 4) and (G, 4) boxes x, y, width, height; `area` (D,) of each prediction.
nb::tuple judge_boxes(Offsets starts, Offsets truth_starts, Array1<int32_t> class_id, Array1<int32_t> truth_class,
                      Array1<double> score, Array1<double> truth_area, Array1<uint8_t> crowd, Array2<double> areas,
                      Array1<double> thresholds, Array2<double> boxes, Array2<double> truths, Array1<double> area,
                      int threads) {
    const Samples samples{starts, truth_starts, class_id, truth_class, score, truth_area, crowd, areas, thresholds};
    check(samples);
    if (boxes.shape(0) != class_id.shape(0) || truths.shape(0) != truth_class.shape(0) || boxes.shape(1) != 4 ||
        truths.shape(1) != 4 || area.shape(0) != class_id.shape(0))
        throw std::invalid_argument("boxes of samples do not fit together");
    Judged judged;
    {
        nb::gil_scoped_release free;
        judged = samples.judge(static_cast<double>(class_id.shape(0)), 1e4, threads, [&] {
            return BoxKind{boxes.data(), truths.data(), area.data(), crowd.data()};
        });
    }
    return result(std::move(judged), areas.shape(0));
}

// Places of values by group (0 .. groups - 1), then by falling value; equal ones keep their order.
nb::tuple rank_in_groups(Array1<int32_t> group, Array1<double> value, size_t groups, int threads) {
    const size_t n = group.shape(0);
    if (value.shape(0) != n) throw std::invalid_argument("groups and values do not fit together");
    std::vector<int64_t> offsets(groups + 1, 0);
    for (size_t i = 0; i < n; ++i) {
        const auto g = static_cast<size_t>(group.data()[i]);  // a negative one becomes huge
        if (g >= groups) throw std::invalid_argument("a group is outside");
        ++offsets[g + 1];
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    std::vector<int64_t> order(n);
    {
        nb::gil_scoped_release free;
        std::vector<std::pair<double, int64_t>> keyed(n);
        std::vector<int64_t> next(offsets.begin(), offsets.end() - 1);
        for (size_t i = 0; i < n; ++i) {
            const int64_t at = next[static_cast<size_t>(group.data()[i])]++;
            keyed[static_cast<size_t>(at)] = {-value.data()[i], static_cast<int64_t>(i)};
        }
        in_shares(groups, static_cast<double>(n), 1e4, threads, [&](size_t, size_t begin, size_t end) {
            for (size_t g = begin; g < end; ++g) std::sort(keyed.begin() + offsets[g], keyed.begin() + offsets[g + 1]);
        });
        for (size_t i = 0; i < n; ++i) order[i] = keyed[i].second;
    }
    return nb::make_tuple(to_numpy(std::move(order)), to_numpy(std::move(offsets)));
}

}  // namespace

void bind_judge(nb::module_& m) {
    m.def("judge_masks", &judge_masks);
    m.def("judge_boxes", &judge_boxes);
    m.def("rank_in_groups", &rank_in_groups);
}
