// Greedy matching of the predictions of one sample to its truths, by COCO's rule.
#pragma once
#include "runs.hpp"

// IoU of boxes x, y, width, height; over the area of the first where the second is a crowd. In pycocotools' order of
// operations, so that an IoU that lies on a threshold falls on the same side.
inline double box_iou(const double* a, const double* b, bool crowd) {
    const double w = std::min(a[0] + a[2], b[0] + b[2]) - std::max(a[0], b[0]);
    const double h = std::min(a[1] + a[3], b[1] + b[3]) - std::max(a[1], b[1]);
    const double own = a[2] * a[3], other = b[2] * b[3], shared = w * h;
    return w > 0 && h > 0 ? shared / (crowd ? own : own + other - shared) : 0.0;
}

// Truths sorted by class, those to be ignored behind the others of their class, else in their order.
inline std::vector<size_t> by_class(const int32_t* truth_class, const uint8_t* ignored, size_t truths) {
    std::vector<size_t> order(truths);
    for (size_t g = 0; g < truths; ++g) order[g] = g;
    std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) {
        return truth_class[x] != truth_class[y] ? truth_class[x] < truth_class[y] : ignored[x] < ignored[y];
    });
    return order;
}

struct Truths {
    const int32_t* class_id;
    const uint8_t *crowd, *ignored;
    size_t count;
};

// The truth that COCO's rule gives a prediction at one threshold, or -1: the best free one (the last of equals), a
// judged one before an ignored one; crowds are never used up.
inline int64_t best_truth(const std::vector<size_t>& candidates, const double* iou, const uint8_t* taken,
                          const Truths& truth, double threshold) {
    int64_t best = -1;
    for (const size_t g : candidates) {
        if (taken[g] && !truth.crowd[g]) continue;
        if (best >= 0 && !truth.ignored[best] && truth.ignored[g]) break;
        if (iou[g] < threshold) continue;
        threshold = iou[g];
        best = static_cast<int64_t>(g);
    }
    return best;
}

class Matcher {
  public:
    Matcher(const double* thresholds, size_t count) : limit_(thresholds, thresholds + count) {
        if (count > 32) throw nb::value_error("at most 32 thresholds");
        for (double& t : limit_) t = std::min(t, 1 - 1e-10);
        lowest_ = count ? *std::min_element(limit_.begin(), limit_.end()) : 0;
    }
    // `iou` has D rows of one value for each truth; bits go to hit[d] and miss[d].
    void match(const double* iou, size_t D, const int32_t* prediction_class, const Truths& truth,
               const uint8_t* outside, uint32_t* hit, uint32_t* miss) {
        const size_t G = truth.count;
        const auto order = by_class(truth.class_id, truth.ignored, G);
        taken_.assign(limit_.size() * G, 0);
        for (size_t d = 0; d < D; ++d) {
            const double* row = iou + d * G;
            const int32_t mine = prediction_class[d];
            candidates_.clear();
            auto g = std::lower_bound(order.begin(), order.end(), mine,
                                      [&](size_t x, int32_t c) { return truth.class_id[x] < c; });
            for (; g != order.end() && truth.class_id[*g] == mine; ++g)
                if (row[*g] >= lowest_) candidates_.push_back(*g);
            if (candidates_.empty()) {
                if (!outside[d]) miss[d] = static_cast<uint32_t>((uint64_t{1} << limit_.size()) - 1);
                continue;
            }
            for (size_t t = 0; t < limit_.size(); ++t) {
                const int64_t best = best_truth(candidates_, row, taken_.data() + t * G, truth, limit_[t]);
                if (best < 0) {
                    if (!outside[d]) miss[d] |= 1u << t;
                    continue;
                }
                taken_[t * G + static_cast<size_t>(best)] = 1;
                if (!truth.ignored[best]) hit[d] |= 1u << t;
            }
        }
    }

  private:
    std::vector<double> limit_;
    double lowest_;
    std::vector<uint8_t> taken_;
    std::vector<size_t> candidates_;
};
