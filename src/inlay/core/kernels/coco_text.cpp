// What takes longest in COCO files, straight from their text: lists of results, and the geometry of annotations. Only
// the usual form is read here; None or a row number says that the general reader has to look.
#include <cmath>

#include "edge_fill.hpp"
#include "json_text.hpp"
#include "run_text.hpp"
#include "threads.hpp"

namespace {

// ---- lists of objects, as rows of numbers ----

struct Row {
    int64_t whole[4] = {}, span[2] = {};
    double value = NAN, box[4] = {NAN, NAN, NAN, NAN};
};

struct Rows {
    Roomy<int64_t> whole, span;
    Roomy<double> value, box;

    void add(const Row& row) {
        whole.insert(whole.end(), row.whole, row.whole + 4), span.insert(span.end(), row.span, row.span + 2);
        value.push_back(row.value), box.insert(box.end(), row.box, row.box + 4);
    }
};

// Notes which members of an object have been there; a second one of a name is odd.
class Seen {
  public:
    void once(unsigned key) {
        if (keys_ & key) throw Odd{};
        keys_ |= key;
    }
    bool all(unsigned keys) const { return (keys_ & keys) == keys; }

  private:
    unsigned keys_ = 0;
};

template <size_t N, typename T, typename F> void read_few(JsonText& json, T* out, F element) {
    size_t n = 0;
    json.list([&] {
        if (n == N) throw Odd{};
        out[n++] = element();
    });
    if (n != N) throw Odd{};
}

void read_box(JsonText& json, double* box) {
    read_few<4>(json, box, [&] { return json.number(); });
}

// An entry of a list of results. Whole: image, category, height and width (-1 where there is no mask); span: the bytes
// of its runs; value: score; box: x, y, width, height (NaN where there is none).
Row read_result(JsonText& json, const char* base) {
    enum { IMAGE = 1, CATEGORY = 2, SCORE = 4, BOX = 8, SIZE = 16, RUNS = 32 };
    Row row{.whole = {0, 0, -1, -1}};
    Seen seen;
    json.object([&](std::string_view key) {
        if (key == "image_id") {
            seen.once(IMAGE), row.whole[0] = json.whole();
        } else if (key == "category_id") {
            seen.once(CATEGORY), row.whole[1] = json.whole();
        } else if (key == "score") {
            seen.once(SCORE), row.value = json.number();
        } else if (key == "bbox") {
            seen.once(BOX), read_box(json, row.box);
        } else if (key == "segmentation") {
            json.object([&](std::string_view part) {
                if (part == "size") {
                    seen.once(SIZE), read_few<2>(json, row.whole + 2, [&] { return json.whole(); });
                } else if (part == "counts") {
                    seen.once(RUNS);
                    const std::string_view runs = json.text();
                    row.span[0] = runs.data() - base, row.span[1] = row.span[0] + static_cast<int64_t>(runs.size());
                } else {
                    throw Odd{};
                }
            });
            if (!seen.all(SIZE | RUNS)) throw Odd{};
        } else if (key == "file_name" || key.find('\\') != key.npos) {
            throw Odd{};
        } else {
            json.skip();
        }
    });
    if (!seen.all(IMAGE | CATEGORY | SCORE) || !(seen.all(BOX) || seen.all(RUNS))) throw Odd{};
    return row;
}

// An annotation of COCO's own keys. Whole: image, category, id, crowd; span: the bytes of its segmentation; value:
// area; box: x, y, width, height (NaN where not said).
Row read_annotation(JsonText& json, const char* base) {
    enum { IMAGE = 1, CATEGORY = 2, ID = 4, CROWD = 8, SHAPE = 16, AREA = 32, BOX = 64 };
    Row row;
    Seen seen;
    json.object([&](std::string_view key) {
        if (key == "image_id") {
            seen.once(IMAGE), row.whole[0] = json.whole();
        } else if (key == "category_id") {
            seen.once(CATEGORY), row.whole[1] = json.whole();
        } else if (key == "id") {
            seen.once(ID), row.whole[2] = json.whole();
        } else if (key == "iscrowd") {
            seen.once(CROWD), row.whole[3] = json.whole() != 0;
        } else if (key == "segmentation") {
            seen.once(SHAPE);
            if (!json.next_is('[') && !json.next_is('{')) throw Odd{};
            row.span[0] = json.place() - base;
            json.skip();
            row.span[1] = json.place() - base;
        } else if (key == "area") {
            seen.once(AREA), row.value = json.number();
        } else if (key == "bbox") {
            seen.once(BOX), read_box(json, row.box);
        } else {
            throw Odd{};
        }
    });
    if (!seen.all(IMAGE | CATEGORY | ID | SHAPE)) throw Odd{};
    return row;
}

// Where bytes begin .. n may be cut: behind the comma between two objects, "},{", near each share. A cut inside a text
// makes one of the shares odd.
std::vector<size_t> cuts_between_objects(const uint8_t* data, size_t begin, size_t n, size_t shares) {
    std::vector<size_t> cuts{begin};
    const std::string_view whole(reinterpret_cast<const char*>(data), n);
    const auto beyond = [&](size_t at) { return std::min(whole.find_first_not_of(" \n\r\t", at), n); };
    for (size_t k = 1; k < shares; ++k)
        for (size_t brace = whole.find('}', begin + (n - begin) * k / shares); brace != whole.npos;
             brace = whole.find('}', brace + 1)) {
            const size_t comma = beyond(brace + 1);
            if (comma == n || data[comma] != ',' || beyond(comma + 1) == n || data[beyond(comma + 1)] != '{') continue;
            if (comma + 1 > cuts.back()) cuts.push_back(comma + 1);
            break;
        }
    cuts.push_back(n);
    return cuts;
}

struct Share {
    Rows rows;
    bool usual = false, closed = false;  // closed: the list ends here, and `end` is behind it
    size_t end = 0;
};

template <typename F> void read_share(const uint8_t* data, size_t begin, size_t end, bool first, F read, Share& out) {
    try {
        const auto* base = reinterpret_cast<const char*>(data);
        JsonText json(data + begin, data + end);
        if (first) json.expect('[');
        out.closed = first && json.take(']');
        while (!out.closed) {
            out.rows.add(read(json, base));
            if (json.take(',')) {
                if (json.done()) break;  // a cut
            } else {
                json.expect(']');
                out.closed = true;
            }
        }
        out.end = static_cast<size_t>(json.place() - base);
        out.usual = true;
    } catch (const Odd&) {
    }
}

// The list that begins at `begin`, read between the cuts; nothing where it is unusual or does not end.
template <typename F>
std::vector<Share> read_between(const uint8_t* data, const std::vector<size_t>& cuts, int threads, F read) {
    std::vector<Share> shares(cuts.size() - 1);
    in_shares(shares.size(), static_cast<double>(shares.size()), 1, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t k = begin; k < end; ++k) read_share(data, cuts[k], cuts[k + 1], k == 0, read, shares[k]);
    });
    for (size_t k = 0; k < shares.size() && shares[k].usual; ++k)
        if (shares[k].closed) {
            shares.resize(k + 1);  // what follows is no part of the list
            return shares;
        }
    return {};
}

template <typename F>
std::vector<Share> read_list(const uint8_t* data, size_t begin, size_t n, int threads, F read) {
    size_t count = threads > 0 ? static_cast<size_t>(threads) : cores();
    count = std::min(count, (n - begin) / (1 << 20) + 1);
    auto shares = read_between(data, cuts_between_objects(data, begin, n, count), threads, read);
    if (shares.empty() && count > 1) shares = read_between(data, {begin, n}, 1, read);  // perhaps a cut was wrong
    return shares;
}

template <typename T> Numpy<T> joined(std::vector<Share>& shares, Roomy<T> Rows::*column, size_t width) {
    if (shares.size() == 1) {
        const size_t rows = (shares[0].rows.*column).size() / width;
        return to_numpy(std::move(shares[0].rows.*column), {rows, width});
    }
    std::vector<size_t> starts{0};
    for (const Share& share : shares) starts.push_back(starts.back() + (share.rows.*column).size());
    auto out = new_numpy<T>({starts.back() / width, width});
    {
        nb::gil_scoped_release free;
        in_shares(shares.size(), static_cast<double>(shares.size()), 1, 0, [&](size_t, size_t begin, size_t end) {
            for (size_t k = begin; k < end; ++k) {
                Roomy<T> part = std::move(shares[k].rows.*column);
                std::copy(part.begin(), part.end(), out.data() + starts[k]);
            }
        });
    }
    return out;
}

nb::tuple columns(std::vector<Share>& shares) {
    return nb::make_tuple(joined(shares, &Rows::whole, 4), joined(shares, &Rows::span, 2),
                          joined(shares, &Rows::value, 1), joined(shares, &Rows::box, 4));
}

// ((M, 4) whole, (M, 2) spans, (M, 1) values, (M, 4) boxes) of a list of results, as `read_result` says; None where it
// holds anything but whole ids, numbers, boxes and compressed run lengths.
nb::object scan_results(Array1<uint8_t> data, int threads) {
    std::vector<Share> shares;
    {
        nb::gil_scoped_release free;
        const uint8_t* end = data.data() + data.shape(0);
        shares = read_list(data.data(), 0, data.shape(0), threads, read_result);
        if (!shares.empty() && !JsonText(data.data() + shares.back().end, end).done()) shares.clear();
    }
    if (shares.empty()) return nb::none();
    return columns(shares);
}

// (begin, end, columns as above) of the list `annotations` of a JSON object, and the bytes where it
// stands; None where there is none, or it says more than COCO's own keys.
nb::object scan_annotations(Array1<uint8_t> data, int threads) {
    std::vector<Share> shares;
    size_t begin = 0;
    try {
        nb::gil_scoped_release free;
        JsonText json(data.data(), data.data() + data.shape(0));
        json.expect('{');
        for (bool found = false; !found;) {
            found = json.text() == "annotations";
            json.expect(':');
            if (!found) json.skip(), json.expect(',');
        }
        begin = static_cast<size_t>(json.place() - reinterpret_cast<const char*>(data.data()));
        shares = read_list(data.data(), begin, data.shape(0), threads, read_annotation);
    } catch (const Odd&) {
    }
    if (shares.empty()) return nb::none();
    const size_t end = shares.back().end;
    return nb::make_tuple(begin, end, columns(shares));
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

// (bad, counts, offsets): the masks of N `segmentation` texts, (N, 2) bytes of `text`, whose images have (N, 2) sizes,
// polygons by the pixel-edge rule. bad is -1, or the first text that is not of the usual form.
nb::tuple read_geometries(Array1<uint8_t> text, Array2<int64_t> spans, Array2<int64_t> sizes, int threads) {
    const size_t n = spans.shape(0);
    if (sizes.shape(0) != n || sizes.shape(1) != 2 || spans.shape(1) != 2)
        throw std::invalid_argument("texts and sizes do not fit together");
    check_spans(spans, text.shape(0));
    RunBuilder out;
    std::vector<int64_t> bad(n + 1, -1);
    {
        nb::gil_scoped_release free;
        const double cost = 400.0 * static_cast<double>(n);
        out = build_in_shares(n, cost, 1e5, threads, [&](size_t begin, size_t end, RunBuilder& part) {
            Geometry geometry;
            for (size_t i = begin; i < end; ++i) {
                const int64_t *size = sizes.data() + 2 * i, *at = spans.data() + 2 * i;
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
    m.def("scan_annotations", &scan_annotations);
    m.def("scan_results", &scan_results);
    m.def("read_geometries", &read_geometries);
}
