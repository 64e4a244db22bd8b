// Annotations as COCO files write them: the geometry of masks, and the entries round it.
#include "run_text.hpp"
#include "text_writer.hpp"
#include "threads.hpp"
#include "trace.hpp"

namespace {

// The `segmentation` of each mask: its rings, or compressed run lengths.
class GeometryWriter {
  public:
    TextWriter text;
    std::vector<size_t> ends;
    std::vector<uint8_t> holed;  // whether a mask has holes

    GeometryWriter(const Counts& counts, const Offsets& offsets, const Array1<uint8_t>& as_runs, size_t h, size_t w,
                   bool holes_as_runs)
        : counts_(counts), offsets_(offsets), as_runs_(as_runs), h_(h), w_(w), holes_as_runs_(holes_as_runs) {}

    // Where it begins: at mask `i`.
    void begin(size_t i) { mask_ = i; }
    bool skips(size_t i) const { return as_runs_.data()[i]; }
    void add(const Corner* begin, const Corner* end, bool hole) {
        any_hole_ |= hole;
        if (any_hole_ && holes_as_runs_) return;
        text.add(rings_++ ? ',' : '[');
        text.list(0, 2 * (end - begin), [&](int64_t k) { text.whole(k % 2 ? begin[k / 2].y : begin[k / 2].x); });
    }
    void end_mask() {
        if (rings_ == 0 || (any_hole_ && holes_as_runs_)) {
            text.resize(ends.empty() ? 0 : ends.back());
            runs();
        } else {
            text.add(']');
        }
        ends.push_back(text.size());
        holed.push_back(any_hole_);
        rings_ = 0, any_hole_ = false, ++mask_;
    }

  private:
    void runs() {
        text.add(R"({"size":[)"), text.whole(static_cast<int64_t>(h_));
        text.add(','), text.whole(static_cast<int64_t>(w_)), text.add(R"(],"counts":")");
        const int64_t first = offsets_.data()[mask_];
        each_sign(counts_.data() + first, offsets_.data()[mask_ + 1] - first, [&](uint8_t sign) {
            if (sign == '\\') text.add('\\');
            text.add(static_cast<char>(sign));
        });
        text.add(R"("})");
    }

    Counts counts_;
    Offsets offsets_;
    Array1<uint8_t> as_runs_;
    size_t h_, w_, mask_ = 0, rings_ = 0;
    bool holes_as_runs_, any_hole_ = false;
};

// The texts of shares one after another.
template <typename F> Roomy<uint8_t> join(size_t shares, F text_of) {
    std::vector<Roomy<uint8_t>> texts;
    size_t size = 0;
    for (size_t t = 0; t < shares; ++t) size += texts.emplace_back(text_of(t)).size();
    if (shares == 1) return std::move(texts[0]);
    Roomy<uint8_t> all(size);
    for (size_t t = 0, at = 0; t < shares; at += texts[t++].size())
        std::copy(texts[t].begin(), texts[t].end(), all.begin() + static_cast<ptrdiff_t>(at));
    return all;
}

// (text, spans (N, 2), holed (N,)): the `segmentation` of each mask. It is run lengths where `as_runs` says so, where
// the mask is empty and, with `holes_as_runs`, where it has holes; else its rings.
nb::tuple write_geometries(Counts counts, Offsets offsets, Array1<uint8_t> as_runs, size_t h, size_t w,
                           bool holes_as_runs, bool centres) {
    const size_t n = offsets.shape(0) - 1;
    if (as_runs.shape(0) != n) throw std::invalid_argument("masks and what is said of them differ in number");
    auto spans = new_numpy<int64_t>({n, 2});
    auto holed = new_numpy<uint8_t>({n});
    Roomy<uint8_t> text;
    {
        nb::gil_scoped_release free;
        std::vector<GeometryWriter> shares(std::clamp<size_t>(n, 1, 1024),
                                           {counts, offsets, as_runs, h, w, holes_as_runs});
        in_shares(n, static_cast<double>(counts.shape(0)), 2e4, 0, [&](size_t t, size_t begin, size_t end) {
            shares[t].begin(begin);
            trace_share(counts, offsets, begin, end, h, centres, shares[t]);
        });
        size_t used = 0, i = 0, before = 0;
        for (; used < shares.size() && (used == 0 || !shares[used].ends.empty()); ++used) {
            size_t last = 0;
            for (size_t k = 0; k < shares[used].ends.size(); ++k, ++i) {
                spans.data()[2 * i] = static_cast<int64_t>(before + last);
                last = shares[used].ends[k];
                spans.data()[2 * i + 1] = static_cast<int64_t>(before + last);
                holed.data()[i] = shares[used].holed[k];
            }
            before += last;
        }
        text = join(used, [&](size_t t) { return shares[t].text.take(); });
    }
    return nb::make_tuple(to_numpy(std::move(text)), spans, holed);
}

// One annotation: whole numbers are id, image, source id, category, crowd, instance; real numbers x, y, width, height,
// area, score. `says` tells which of them are there, and which of the real ones are written as whole numbers.
enum Says : uint8_t { SOURCE = 1, WHOLE_BOX = 2, WHOLE_AREA = 4, SCORE = 8, INSTANCE = 16 };

void write_entry(TextWriter& text, uint8_t says, const int64_t* whole, const double* real, std::string_view geometry,
                 std::string_view more) {
    const auto number = [&](double value, bool is_whole) {
        if (is_whole)
            text.whole(static_cast<int64_t>(value));
        else
            text.real(value);
    };
    text.add(R"({"id":)"), text.whole(whole[0]);
    text.add(R"(,"image_id":)"), text.whole(whole[1]);
    if (says & SOURCE) text.add(R"(,"source_id":)"), text.whole(whole[2]);
    text.add(R"(,"category_id":)"), text.whole(whole[3]);
    text.add(R"(,"iscrowd":)"), text.whole(whole[4]);
    text.add(R"(,"bbox":)"), text.list(0, 4, [&](int64_t k) { number(real[k], says & WHOLE_BOX); });
    text.add(R"(,"area":)"), number(real[4], says & WHOLE_AREA);
    text.add(R"(,"segmentation":)"), text.add(geometry);
    if (says & SCORE) text.add(R"(,"score":)"), text.real(real[5]);
    if (says & INSTANCE) text.add(R"(,"instance_id":)"), text.whole(whole[5]);
    text.add(more), text.add('}');
}

// The text of N annotations, a comma and a line end between two, as `write_entry` says; `spans` are the bytes of `text`
// where the geometry of each stands, and where what follows its last number.
Numpy<uint8_t> write_annotations(Array1<uint8_t> says, Array2<int64_t> whole, Array2<double> real,
                                 Array1<uint8_t> text, Array2<int64_t> geometry, Array2<int64_t> more) {
    const size_t n = says.shape(0);
    if (whole.shape(0) != n || whole.shape(1) != 6 || real.shape(0) != n || real.shape(1) != 6 ||
        geometry.shape(0) != n || geometry.shape(1) != 2 || more.shape(0) != n || more.shape(1) != 2)
        throw std::invalid_argument("columns of annotations differ in length");
    check_spans(geometry, text.shape(0)), check_spans(more, text.shape(0));
    Roomy<uint8_t> all;
    {
        nb::gil_scoped_release free;
        const auto* base = reinterpret_cast<const char*>(text.data());
        const auto part = [&](const Array2<int64_t>& spans, size_t i) {
            const int64_t* span = spans.data() + 2 * i;
            return std::string_view(base + span[0], static_cast<size_t>(span[1] - span[0]));
        };
        std::vector<TextWriter> shares(std::clamp<size_t>(n, 1, 1024));
        in_shares(n, static_cast<double>(n), 2e3, 0, [&](size_t t, size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) {
                if (i) shares[t].add(std::string_view(",\n"));
                write_entry(shares[t], says.data()[i], whole.data() + 6 * i, real.data() + 6 * i, part(geometry, i),
                            part(more, i));
            }
        });
        size_t used = 1;
        while (used < shares.size() && shares[used].size()) ++used;
        all = join(used, [&](size_t t) { return shares[t].take(); });
    }
    return to_numpy(std::move(all));
}

}  // namespace

void bind_coco_write(nb::module_& m) {
    m.def("write_geometries", &write_geometries);
    m.def("write_annotations", &write_annotations);
}
