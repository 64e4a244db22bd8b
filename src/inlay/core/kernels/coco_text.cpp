// What takes longest in COCO files, straight from their text: lists of results, and the geometry of annotations. Only
// the usual form is read here; None or a row number says that the general reader has to look.
#include <cmath>
#include <limits>

#include "edge_fill.hpp"
#include "json_text.hpp"
#include "run_text.hpp"
#include "threads.hpp"

namespace {

// ---- lists of objects, as rows of numbers ----

constexpr int64_t ABSENT = std::numeric_limits<int64_t>::min();  // more digits than are read

template <size_t WHOLE, size_t SPANS, size_t VALUES> struct RowOf {
    int64_t whole[WHOLE] = {}, span[2 * SPANS] = {};
    double value[VALUES], box[4] = {NAN, NAN, NAN, NAN};
    RowOf() { std::fill_n(value, VALUES, NAN); }
};
using Result = RowOf<4, 1, 1>;
using Annotation = RowOf<6, 3, 2>;

template <typename Row> struct Rows {
    Roomy<int64_t> whole, span;
    Roomy<double> value, box;

    void add(const Row& row) {
        append(whole, row.whole), append(span, row.span), append(value, row.value), append(box, row.box);
    }

  private:
    template <typename T, size_t N> static void append(Roomy<T>& column, const T (&part)[N]) {
        if constexpr (N == 1)
            column.push_back(part[0]);
        else
            column.insert(column.end(), part, part + N);
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

// Goes past a value, whose bytes are the span.
void read_span(JsonText& json, const char* base, int64_t* span) {
    json.space();
    span[0] = json.place() - base;
    json.skip();
    span[1] = json.place() - base;
}

// Whether a key is that word: a comparison of as many bytes as are known here, where one of texts would be a call.
template <size_t N> bool is(std::string_view key, const char (&word)[N]) {
    return key.size() == N - 1 && std::memcmp(key.data(), word, N - 1) == 0;
}

enum Member { IMAGE = 1, CATEGORY = 2, SCORE = 4, BOX = 8, SHAPE = 16, SIZE = 32, RUNS = 64, ID = 128, CROWD = 256,
              AREA = 512, INSTANCE = 1024, SOURCE = 2048, TAGS = 4096, INLAY = 8192 };

// A row of an object: the members that results and annotations share, the others as `other` reads them. Whole: image,
// category; the last value: score; box: x, y, width, height. NaN where there is none.
template <typename Row, typename F> void read_members(JsonText& json, Row& row, Seen& seen, F other) {
    json.object([&](std::string_view key) {
        if (is(key, "image_id")) {
            seen.once(IMAGE), row.whole[0] = json.whole();
        } else if (is(key, "category_id")) {
            seen.once(CATEGORY), row.whole[1] = json.whole();
        } else if (is(key, "score")) {
            seen.once(SCORE), std::end(row.value)[-1] = json.number();
        } else if (is(key, "bbox")) {
            seen.once(BOX), read_few<4>(json, row.box, [&] { return json.number(); });
        } else {
            other(key);
        }
    });
}

// An entry of a list of results. Whole also: height and width (-1 where there is no mask); span: the bytes of its runs.
Result read_result(JsonText& json, const char* base) {
    Result row;
    row.whole[2] = row.whole[3] = -1;
    Seen seen;
    read_members(json, row, seen, [&](std::string_view key) {
        if (is(key, "segmentation")) {
            json.object([&](std::string_view part) {
                if (is(part, "size")) {
                    seen.once(SIZE), read_few<2>(json, row.whole + 2, [&] { return json.whole(); });
                } else if (is(part, "counts")) {
                    seen.once(RUNS);
                    const std::string_view runs = json.text();
                    row.span[0] = runs.data() - base, row.span[1] = row.span[0] + static_cast<int64_t>(runs.size());
                } else {
                    throw Odd{};
                }
            });
            if (!seen.all(SIZE | RUNS)) throw Odd{};
        } else if (is(key, "file_name") || key.find('\\') != key.npos) {
            throw Odd{};
        } else {
            json.skip();
        }
    });
    if (!seen.all(IMAGE | CATEGORY | SCORE) || !(seen.all(BOX) || seen.all(RUNS))) throw Odd{};
    return row;
}

// An annotation of COCO's own keys and those that Inlay writes beside them. Whole also: id, crowd, instance and source
// id (ABSENT where not said); spans: the bytes of its segmentation, of its attributes and of its full extent, (0, 0)
// where there are none; values: area and score.
Annotation read_annotation(JsonText& json, const char* base) {
    Annotation row;
    row.whole[4] = row.whole[5] = ABSENT;
    Seen seen;
    read_members(json, row, seen, [&](std::string_view key) {
        if (is(key, "id")) {
            seen.once(ID), row.whole[2] = json.whole();
        } else if (is(key, "iscrowd")) {
            seen.once(CROWD), row.whole[3] = json.whole() != 0;
        } else if (is(key, "segmentation")) {
            seen.once(SHAPE);
            if (!json.next_is('[') && !json.next_is('{')) throw Odd{};
            read_span(json, base, row.span);
        } else if (is(key, "area")) {
            seen.once(AREA), row.value[0] = json.number();
        } else if (is(key, "instance_id")) {
            seen.once(INSTANCE), row.whole[4] = json.whole();
        } else if (is(key, "source_id")) {
            seen.once(SOURCE), row.whole[5] = json.whole();
        } else if (is(key, "attributes")) {
            seen.once(TAGS);
            if (!json.next_is('{')) throw Odd{};
            read_span(json, base, row.span + 2);
        } else if (is(key, "inlay")) {
            seen.once(INLAY);
            json.expect('{');
            if (json.text() != "amodal") throw Odd{};
            json.expect(':');
            if (!json.next_is('[') && !json.next_is('{')) throw Odd{};
            read_span(json, base, row.span + 4);
            json.expect('}');
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

template <typename Row> struct Share {
    Rows<Row> rows;
    bool usual = false, closed = false;  // closed: the list ends here, and `end` is behind it
    size_t end = 0;
};
template <typename Row> using Shares = std::vector<Share<Row>>;
template <typename Row> using Reader = Row (*)(JsonText&, const char*);

template <typename Row>
void read_share(const uint8_t* data, size_t begin, size_t end, bool first, Reader<Row> read, Share<Row>& out) {
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
template <typename Row>
Shares<Row> read_between(const uint8_t* data, const std::vector<size_t>& cuts, int threads, Reader<Row> read) {
    Shares<Row> shares(cuts.size() - 1);
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

template <typename Row>
Shares<Row> read_list(const uint8_t* data, size_t begin, size_t n, int threads, Reader<Row> read) {
    size_t count = threads > 0 ? static_cast<size_t>(threads) : cores();
    count = std::min(count, (n - begin) / (1 << 20) + 1);
    auto shares = read_between(data, cuts_between_objects(data, begin, n, count), threads, read);
    if (shares.empty() && count > 1) shares = read_between(data, {begin, n}, 1, read);  // perhaps a cut was wrong
    return shares;
}

template <typename T, typename Row>
Numpy<T> joined(Shares<Row>& shares, Roomy<T> Rows<Row>::*column, size_t width) {
    if (shares.size() == 1) {
        const size_t rows = (shares[0].rows.*column).size() / width;
        return to_numpy(std::move(shares[0].rows.*column), {rows, width});
    }
    std::vector<size_t> starts{0};
    for (const Share<Row>& share : shares) starts.push_back(starts.back() + (share.rows.*column).size());
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

template <size_t WHOLE, size_t SPANS, size_t VALUES> nb::tuple columns(Shares<RowOf<WHOLE, SPANS, VALUES>>& shares) {
    using Columns = Rows<RowOf<WHOLE, SPANS, VALUES>>;
    return nb::make_tuple(joined(shares, &Columns::whole, WHOLE), joined(shares, &Columns::span, 2 * SPANS),
                          joined(shares, &Columns::value, VALUES), joined(shares, &Columns::box, 4));
}

// ((M, 4) whole, (M, 2) spans, (M, 1) values, (M, 4) boxes) of a list of results, as `read_result` says; None where it
// holds anything but whole ids, numbers, boxes and compressed run lengths.
nb::object scan_results(Array1<uint8_t> data, int threads) {
    Shares<Result> shares;
    {
        nb::gil_scoped_release free;
        const uint8_t* end = data.data() + data.shape(0);
        shares = read_list(data.data(), 0, data.shape(0), threads, read_result);
        if (!shares.empty() && !JsonText(data.data() + shares.back().end, end).done()) shares.clear();
    }
    if (shares.empty()) return nb::none();
    return columns(shares);
}

// (begin, end, ((M, 6) whole, (M, 6) spans, (M, 2) values, (M, 4) boxes) as `read_annotation` says) of the list
// `annotations` of a JSON object, and the bytes where it stands; None where there is none, or it says more than that.
nb::object scan_annotations(Array1<uint8_t> data, int threads) {
    Shares<Annotation> shares;
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
