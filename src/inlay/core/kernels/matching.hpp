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

using Bits = uint16_t;  // one for each threshold

// One sample: D predictions in falling order of score, G truths, A area ranges.
struct Matched {
    const double* iou;  // (D, G)
    size_t D, G, A;
    const int32_t *prediction_class, *truth_class;
    const uint8_t *crowd, *ignored, *outside;  // (G), (A, G), (A, D)
};

class Matcher {
  public:
    Matcher(const double* thresholds, size_t count) : limit_(thresholds, thresholds + count) {
        if (count > 16) throw nb::value_error("at most 16 thresholds");
        for (double& t : limit_) t = std::min(t, 1 - 1e-10);
        lowest_ = count ? *std::min_element(limit_.begin(), limit_.end()) : 0;
        all_ = static_cast<Bits>((1u << count) - 1);
    }
    // Bits of prediction d in area range a go to hit[a * stride + d] and miss.
    void match(const Matched& sample, size_t stride, Bits* hit, Bits* miss) {
        find_near(sample);
        for (size_t a = 0; a < sample.A; ++a) {
            const uint8_t *ignored = sample.ignored + a * sample.G, *outside = sample.outside + a * sample.D;
            taken_.assign(sample.G, 0);
            for (size_t d = 0; d < sample.D; ++d) {
                const auto [right, wrong] = judge(sample, d, ignored);
                hit[a * stride + d] = right;
                miss[a * stride + d] = outside[d] ? Bits{0} : wrong;
            }
        }
    }

  private:
    // The truths of each prediction's class that reach the lowest threshold.
    void find_near(const Matched& sample) {
        near_.clear(), starts_.assign(1, 0);
        for (size_t d = 0; d < sample.D; ++d) {
            for (size_t g = 0; g < sample.G; ++g)
                if (sample.truth_class[g] == sample.prediction_class[d] && sample.iou[d * sample.G + g] >= lowest_)
                    near_.push_back(g);
            starts_.push_back(near_.size());
        }
    }
    // Thresholds at which a prediction finds a judged truth, and those at which it finds none at all.
    std::pair<Bits, Bits> judge(const Matched& sample, size_t d, const uint8_t* ignored) {
        const size_t begin = starts_[d], end = starts_[d + 1];
        const double* iou = sample.iou + d * sample.G;
        if (begin == end) return {Bits{0}, all_};
        if (end - begin == 1) {
            const size_t g = near_[begin];
            const Bits found = reached(iou[g]) & (sample.crowd[g] ? all_ : static_cast<Bits>(~taken_[g]));
            taken_[g] |= found;
            return {ignored[g] ? Bits{0} : found, static_cast<Bits>(all_ & ~found)};
        }
        Bits right = 0, wrong = 0;
        for (size_t t = 0; t < limit_.size(); ++t) {
            const auto bit = static_cast<Bits>(1u << t);
            int64_t best = -1;
            for (const bool second : {false, true}) {  // a judged one before an ignored one
                double needed = limit_[t];
                for (size_t k = begin; k < end && (!second || best < 0 || ignored[best]); ++k) {
                    const size_t g = near_[k];
                    if ((ignored[g] != 0) != second || (taken_[g] & bit && !sample.crowd[g]) || iou[g] < needed) continue;
                    needed = iou[g], best = static_cast<int64_t>(g);  // the last of equals
                }
            }
            if (best < 0) {
                wrong |= bit;
                continue;
            }
            taken_[static_cast<size_t>(best)] |= bit;  // a crowd may be taken again
            if (!ignored[best]) right |= bit;
        }
        return {right, wrong};
    }
    Bits reached(double iou) const {
        Bits bits = 0;
        for (size_t t = 0; t < limit_.size(); ++t) bits |= static_cast<Bits>((iou >= limit_[t]) << t);
        return bits;
    }

    std::vector<double> limit_;
    double lowest_;
    Bits all_;
    std::vector<Bits> taken_;
    std::vector<size_t> near_, starts_;
};
