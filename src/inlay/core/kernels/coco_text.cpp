// What takes longest in COCO files, straight from their text: lists of results, and the geometry of annotations. Only
// the usual form is read here; None or a row number says that the general reader has to look.
#include <cmath>

#include "edge_fill.hpp"
#include "json_text.hpp"
#include "run_text.hpp"
#include "threads.hpp"

namespace {

// ---- lists of results ----

struct ResultColumns {
    std::vector<int64_t> image, category, size, text;  // size: height, width; text: first and last byte of the runs
    std::vector<double> score, box;                    // box: x, y, width, height, NaN where there is none
};

void read_result(JsonText& json, const char* base, ResultColumns& out) {
    enum { IMAGE = 1, CATEGORY = 2, SCORE = 4, BOX = 8, SIZE = 16, RUNS = 32 };
    int64_t image = 0, category = 0, size[2] = {-1, -1}, text[2] = {0, 0};
    double score = 0, box[4] = {NAN, NAN, NAN, NAN};
    int seen = 0;
    const auto once = [&](int key) {
        if (seen & key) throw Odd{};
        seen |= key;
    };
    json.object([&](std::string_view key) {
        if (key == "image_id") {
            once(IMAGE), image = json.whole();
        } else if (key == "category_id") {
            once(CATEGORY), category = json.whole();
        } else if (key == "score") {
            once(SCORE), score = json.number();
        } else if (key == "bbox") {
            once(BOX);
            size_t n = 0;
            json.list([&] {
                if (n == 4) throw Odd{};
                box[n++] = json.number();
            });
            if (n != 4) throw Odd{};
        } else if (key == "segmentation") {
            json.object([&](std::string_view part) {
                if (part == "size") {
                    once(SIZE);
                    size_t n = 0;
                    json.list([&] {
                        if (n == 2) throw Odd{};
                        size[n++] = json.whole();
                    });
                    if (n != 2) throw Odd{};
                } else if (part == "counts") {
                    once(RUNS);
                    const std::string_view runs = json.text();
                    text[0] = runs.data() - base, text[1] = text[0] + static_cast<int64_t>(runs.size());
                } else {
                    throw Odd{};
                }
            });
            if ((seen & (SIZE | RUNS)) != (SIZE | RUNS)) throw Odd{};
        } else if (key == "file_name" || key.find('\\') != key.npos) {
            throw Odd{};
        } else {
            json.skip();
        }
    });
    if ((seen & 7) != 7 || !(seen & (BOX | RUNS))) throw Odd{};
    out.image.push_back(image), out.category.push_back(category), out.score.push_back(score);
    out.size.insert(out.size.end(), size, size + 2), out.text.insert(out.text.end(), text, text + 2);
    out.box.insert(out.box.end(), box, box + 4);
}

// Where a list of N bytes may be cut: behind the comma between two objects, "},{", near each share. A cut inside a text
// makes one of the shares odd.
std::vector<size_t> cuts_between_objects(const uint8_t* data, size_t n, size_t shares) {
    std::vector<size_t> cuts{0};
    const std::string_view whole(reinterpret_cast<const char*>(data), n);
    const auto beyond = [&](size_t at) { return std::min(whole.find_first_not_of(" \n\r\t", at), n); };
    for (size_t k = 1; k < shares; ++k)
        for (size_t brace = whole.find('}', n * k / shares); brace != whole.npos; brace = whole.find('}', brace + 1)) {
            const size_t comma = beyond(brace + 1);
            if (comma == n || data[comma] != ',' || beyond(comma + 1) == n || data[beyond(comma + 1)] != '{') continue;
            if (comma + 1 > cuts.back()) cuts.push_back(comma + 1);
            break;
        }
    cuts.push_back(n);
    return cuts;
}

bool read_share(const uint8_t* data, size_t begin, size_t end, bool first, bool last, ResultColumns& out) {
    try {
        JsonText json(data + begin, data + end);
        if (first) json.expect('[');
        if (first && last && json.take(']')) return json.done();
        for (;;) {
            read_result(json, reinterpret_cast<const char*>(data), out);
            if (!json.take(',')) break;
            if (!last && json.done()) return true;
        }
        if (!last) return false;
        json.expect(']');
        return json.done();
    } catch (const Odd&) {
        return false;
    }
}

// Whether all between the cuts is usual.
bool read_shares(const uint8_t* data, const std::vector<size_t>& cuts, int threads, std::vector<ResultColumns>& parts) {
    const size_t count = cuts.size() - 1;
    parts.assign(count, {});
    std::vector<uint8_t> good(count, 0);
    in_shares(count, static_cast<double>(count), 1, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t k = begin; k < end; ++k)
            good[k] = read_share(data, cuts[k], cuts[k + 1], k == 0, k + 1 == count, parts[k]);
    });
    return std::all_of(good.begin(), good.end(), [](uint8_t each) { return each; });
}

template <typename T>
Numpy<T> joined(std::vector<ResultColumns>& parts, std::vector<T> ResultColumns::*column, size_t width) {
    size_t n = 0;
    for (auto& part : parts) n += (part.*column).size();
    auto out = width ? new_numpy<T>({n / width, width}) : new_numpy<T>({n});
    T* at = out.data();
    for (auto& part : parts) {
        at = std::copy((part.*column).begin(), (part.*column).end(), at);
        std::vector<T>().swap(part.*column);
    }
    return out;
}

// (image ids, category ids, scores, (M, 4) boxes, (M, 2) sizes, (M, 2) bytes of the run texts) of a list of results;
// None where it holds anything but whole ids, numbers, boxes and compressed run lengths.
nb::object scan_results(Array1<uint8_t> data, int threads) {
    std::vector<ResultColumns> parts;
    bool usual = false;
    {
        nb::gil_scoped_release free;
        const size_t n = data.shape(0);
        size_t shares = threads > 0 ? static_cast<size_t>(threads) : std::max(1u, std::thread::hardware_concurrency());
        shares = std::min(shares, n / (1 << 20) + 1);
        usual = read_shares(data.data(), cuts_between_objects(data.data(), n, shares), threads, parts);
        if (!usual && shares > 1) usual = read_shares(data.data(), {0, n}, 1, parts);  // perhaps a cut was wrong
    }
    if (!usual) return nb::none();
    const auto image = joined(parts, &ResultColumns::image, 0), category = joined(parts, &ResultColumns::category, 0);
    const auto score = joined(parts, &ResultColumns::score, 0), box = joined(parts, &ResultColumns::box, 4);
    return nb::make_tuple(image, category, score, box, joined(parts, &ResultColumns::size, 2), joined(parts, &ResultColumns::text, 2));
}

// ---- the geometry of annotations ----

constexpr double FAR = 1e7;  // pixels; corners beyond are no corners of any image

class Geometry {
  public:
    // Appends the mask of one text: polygons, run lengths as a list or in printable form, or null for nothing.
    void read(const uint8_t* begin, const uint8_t* end, int64_t h, int64_t w, RunBuilder& out) {
        JsonText json(begin, end);
        pixels_ = static_cast<uint64_t>(h * w);
        if (json.next_is('['))
            polygons(json, h, w, out);
        else if (json.next_is('{'))
            runs(json, h, w, out);
        else if (json.null())
            out.finish(pixels_);
        else
            throw Odd{};
        if (!json.done()) throw Odd{};
    }

  private:
    void polygons(JsonText& json, int64_t h, int64_t w, RunBuilder& out) {
        fill_.resize(h, w);
        spans_.clear();
        size_t rings = 0;
        json.list([&] {
            points_.clear();
            json.list([&] {
                points_.push_back(json.number());
                if (!(std::abs(points_.back()) <= FAR)) throw Odd{};
            });
            if (points_.size() % 2) throw Odd{};
            fill_.ring(points_.data(), static_cast<int64_t>(points_.size() / 2), spans_);
            ++rings;
        });
        if (rings > 1) unite_spans(spans_);
        for (const auto& [start, stop] : spans_) out.foreground(start, stop);
        out.finish(pixels_);
    }
    void runs(JsonText& json, int64_t h, int64_t w, RunBuilder& out) {
        bool sized = false, counted = false, value = false;
        uint64_t sum = 0;
        const auto run = [&](uint64_t length) {
            sum += length;
            out.add(value, sum > pixels_ ? 0 : length);
            value = !value;
        };
        json.object([&](std::string_view key) {
            if (key == "size" && !sized) {
                int64_t size[3] = {-1, -1, 0}, n = 0;
                json.list([&] { size[std::min<int64_t>(n++, 2)] = json.whole(); });
                if (n != 2 || size[0] != h || size[1] != w) throw Odd{};
                sized = true;
            } else if (key == "counts" && !counted && json.next_is('"')) {
                const std::string_view text = json.text();
                const auto* at = reinterpret_cast<const uint8_t*>(text.data());
                if (!each_length(at, at + text.size(), true, run)) throw Odd{};
                counted = true;
            } else if (key == "counts" && !counted) {
                json.list([&] {
                    const int64_t length = json.whole();
                    if (length < 0) throw Odd{};
                    run(static_cast<uint64_t>(length));
                });
                counted = true;
            } else {
                throw Odd{};
            }
        });
        if (!sized || !counted || sum != pixels_) throw Odd{};
        out.finish();
    }

    uint64_t pixels_ = 0;
    EdgeFill fill_{0, 0};
    std::vector<double> points_;
    std::vector<Span> spans_;
};

// (bad, counts, offsets): the masks of N `segmentation` texts, whose images have (N, 2) sizes, polygons by the
// pixel-edge rule. bad is -1, or the first text that is not of the usual form.
nb::tuple read_geometries(Array1<uint8_t> text, Offsets ends, Array2<int64_t> sizes, int threads) {
    const size_t n = ends.shape(0) - 1;
    if (sizes.shape(0) != n || sizes.shape(1) != 2) throw std::invalid_argument("texts and sizes do not fit together");
    RunBuilder out;
    std::vector<int64_t> bad(n + 1, -1);
    {
        nb::gil_scoped_release free;
        const double cost = static_cast<double>(text.shape(0));
        out = build_in_shares(n, cost, 1e5, threads, [&](size_t begin, size_t end, RunBuilder& part) {
            Geometry geometry;
            for (size_t i = begin; i < end; ++i) {
                const int64_t *size = sizes.data() + 2 * i, *at = ends.data() + i;
                try {
                    geometry.read(text.data() + at[0], text.data() + at[1], size[0], size[1], part);
                } catch (const Odd&) {
                    bad[begin] = static_cast<int64_t>(i);
                    return;
                }
            }
        });
    }
    for (const int64_t row : bad)
        if (row >= 0) return nb::make_tuple(row, nb::none(), nb::none());
    return nb::make_tuple(int64_t{-1}, to_numpy(std::move(out.counts)), to_numpy(std::move(out.offsets)));
}

}  // namespace

void bind_coco_text(nb::module_& m) {
    m.def("scan_results", &scan_results);
    m.def("read_geometries", &read_geometries);
}
