// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/engine.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/nn/parameters.hpp>
#include <anodiff/ops/elementwise.hpp>
#include <memory>

namespace anodiff::nn {

/// What a tape can be asked for: values alone; gradients of its inputs (likelihood, guidance); those and the gradients
/// of all parameters (training).
enum class gradients { off, input, all };

/// The two things a value can have one row for. What depends on the noise level alone is computed once a level.
enum class batch { rows, levels };
[[nodiscard]] constexpr std::string_view name_of(batch kind) noexcept {
  return kind == batch::rows ? "sample" : "noise level";
}

/// Extents of a value that holds a picture in each row, channels last; all zero for a value that holds none.
struct image_shape {
  index height = 0, width = 0, channels = 0;
  [[nodiscard]] constexpr index pixels() const noexcept { return height * width; }
  [[nodiscard]] constexpr index size() const noexcept { return height * width * channels; }
  [[nodiscard]] constexpr bool exists() const noexcept { return size() > 0; }
  [[nodiscard]] bool operator==(const image_shape&) const = default;
};

/// A value of the recorded network: (rows or levels, width).
struct value {
  int id = -1;
  [[nodiscard]] constexpr bool exists() const noexcept { return id >= 0; }
};

/// What one pass over the tape works on.
struct pass {
  index rows = 0, levels = 0;
  index first = 0;                       ///< rows of each value before those of this pass; see node::by_rows
  const std::int32_t* level = nullptr;   ///< (rows): which level each row has
  bool training = false;                 ///< dropout is active
  noise_key noise{};                     ///< of dropout
  const std::uint32_t* draws = nullptr;  ///< (rows): see ops::row_noise
  const noise_key* when_run = nullptr;   ///< see ops::row_noise
};

template <engine Engine>
class tape;

/// One recorded operation. A node reads values, writes one, and adds to the gradients of what it has read.
template <engine Engine>
class node {
 public:
  using real = typename Engine::real;
  virtual ~node() = default;
  /// Called once when the tape is planned: prepares weights. Called again when their values have changed.
  virtual void prepare(tape<Engine>&) {}
  /// Elements of working memory that a pass needs; asked when the tape is planned. All nodes share tape::scratch().
  [[nodiscard]] virtual index scratch(tape<Engine>&) { return 0; }
  /// Whether forward, with gradients off, makes each row from the same row of what it reads, and keeps to the pass's
  /// rows (tape::rows_of). A thread then takes some rows through all such nodes in a row, without waiting for others.
  [[nodiscard]] virtual bool by_rows() const { return false; }
  virtual void forward(tape<Engine>&, const pass&) = 0;
  virtual void backward(tape<Engine>&, const pass&) = 0;
  /// Whether backward reads the values that forward has read or written, so that they must be kept.
  std::vector<value> reads;
  value writes;
};

/// A network, recorded once and run many times. Layers record nodes; plan() lays out all memory; forward and backward
/// then allocate nothing. The parameters live outside, so that several tapes can share them.
template <engine Engine>
class tape {
 public:
  using real = typename Engine::real;

  /// `store` must outlive the tape. Parameters that it lacks are declared while the network is recorded, from `seed`.
  tape(Engine engine, parameter_store<real>& store, gradients mode, std::uint64_t seed = 0)
      : engine_{std::move(engine)}, store_{&store}, mode_{mode}, seed_{seed} {}

  // -- recording --
  /// A value in the caller's memory, named by bind() before each pass.
  value input(batch kind, index width) {
    const value v = new_slot(kind, width);
    slot(v).is_input = true;
    return v;
  }
  value input(batch kind, const image_shape& image) {
    const value v = input(kind, image.size());
    set_image(v, image);
    return v;
  }
  /// A value that the node of `Node` computes; needs_gradient follows from what it reads and whether it has parameters.
  template <class Node>
  value record(std::unique_ptr<Node> made, batch kind, index width, bool has_parameters) {
    const value v = new_slot(kind, width);
    slot(v).needs_gradient = mode_ == gradients::all && has_parameters;
    for (const value read : made->reads) {
      slot(v).needs_gradient = slot(v).needs_gradient || slot(read).needs_gradient;
      slot(read).last_use = static_cast<int>(nodes_.size());
    }
    slot(v).first_use = slot(v).last_use = static_cast<int>(nodes_.size());
    slot(v).by_rows = made->by_rows();
    made->writes = v;
    nodes_.push_back(std::move(made));
    return v;
  }
  template <class Node>
  value record(std::unique_ptr<Node> made, batch kind, const image_shape& image, bool has_parameters) {
    const value v = record(std::move(made), kind, image.size(), has_parameters);
    set_image(v, image);
    return v;
  }
  /// A value of the kind, width and picture of another, without parameters.
  template <class Node>
  value record_like(std::unique_ptr<Node> made, value like) {
    const value v = record(std::move(made), kind(like), width(like), false);
    slot(v).image = slot(like).image;
    return v;
  }
  /// Says that each row of v is a picture. Throws invalid_argument where its size is not v's width.
  void set_image(value v, const image_shape& image) {
    check(image.exists() && image.size() == width(v), "tape: a value of width ", width(v), " cannot hold a picture of ",
          to_string(shape<3>{image.height, image.width, image.channels}));
    slot(v).image = image;
  }
  /// The extents of the picture in each row of v; with `who`, throws invalid_argument where it holds none.
  [[nodiscard]] const image_shape& image(value v, std::string_view who) const {
    check(slot(v).image.exists(), who, " needs a picture (height, width, channels), got a row of ", width(v));
    return slot(v).image;
  }
  [[nodiscard]] const image_shape& image(value v) const { return slot(v).image; }
  /// Keeps v readable after the last node, for those who want a network's activations beside its output.
  void tap(value v) { taps_.push_back(v); }
  [[nodiscard]] std::span<const value> taps() const noexcept { return taps_; }
  [[nodiscard]] parameter declare(std::string_view name, index rows, index columns, initial how, index in) {
    return store_->declare(name, rows, columns, how, in, seed_);
  }
  /// Asks for the gradient of an input, and marks `v` as read after the last node.
  void want_gradient(value v) { slot(v).needs_gradient = mode_ != gradients::off; }
  void bind(value v, real* data) noexcept { slot(v).data = data; }
  void keep(value v) { slot(v).last_use = forever; }
  /// Counts the layers that draw random numbers.
  [[nodiscard]] index next_layer() noexcept { return layers_++; }
  [[nodiscard]] index width(value v) const { return slot(v).width; }
  [[nodiscard]] batch kind(value v) const { return slot(v).kind; }

  // -- planning --
  /// Lays out memory for up to that many rows and levels, in place of what an earlier plan has laid out. With gradients
  /// off, values that are no longer needed share their memory with later ones.
  void plan(index max_rows, index max_levels) {
    max_rows_ = max_rows;
    max_levels_ = max_levels;
    memory_.clear();
    for (const value v : taps_) keep(v);
    struct piece {
      index size;
      int free_after;
      std::size_t buffer;
      bool by_rows;
    };
    std::vector<piece> pieces;
    for (auto& s : slots_) {
      const index size = capacity(s);
      if (s.is_input) {
        allocate_gradient(s, size);
        continue;
      }
      piece* reuse = nullptr;
      const auto holds = [&](const piece& p) {  // rows of values that live at once on two threads must not overlap
        return p.by_rows || s.by_rows ? p.size == size : p.size >= size;
      };
      if (mode_ == gradients::off && s.kind == batch::rows)
        for (auto& p : pieces)
          if (p.free_after < s.first_use && holds(p) && (reuse == nullptr || p.size < reuse->size)) reuse = &p;
      if (reuse == nullptr) {
        memory_.push_back(engine_.allocate(size));
        const bool lasting = s.kind == batch::levels;  // it must survive from pass to pass
        pieces.push_back({size, lasting ? forever : s.last_use, memory_.size() - 1, s.by_rows});
        reuse = &pieces.back();
      } else {
        reuse->free_after = s.last_use;
        reuse->by_rows = reuse->by_rows || s.by_rows;
      }
      s.data = memory_[reuse->buffer].data();
      allocate_gradient(s, size);
    }
    parameter_gradients_ = engine_.allocate(mode_ == gradients::all ? store_->count() : 0);
    if constexpr (remote_engine<Engine>) {
      parameters_ = engine_.allocate(store_->count());
      if (mode_ == gradients::all) engine_.run(ops::fill<real>{parameter_gradients_.data(), store_->count(), 0});
    }
    index scratch = 0;
    for (auto& n : nodes_) scratch = std::max(scratch, n->scratch(*this));
    scratch_ = engine_.allocate(scratch);
    prepare();
  }
  /// Takes over new values of the parameters.
  void prepare() {
    if constexpr (remote_engine<Engine>) engine_.upload(std::as_const(*store_).values(), parameters_.data());
    for (auto& n : nodes_) n->prepare(*this);
  }
  /// Bytes that plan() has laid out, prepared weights aside.
  [[nodiscard]] std::size_t bytes() const noexcept {
    const auto bytes_of = [](const auto& b) { return static_cast<std::size_t>(b.size()) * sizeof(real); };
    std::size_t sum = bytes_of(parameter_gradients_) + bytes_of(scratch_) + bytes_of(parameters_);
    for (const auto& m : memory_) sum += bytes_of(m);
    return sum;
  }

  // -- running: throws invalid_argument for more rows or levels than planned --
  /// Computes what depends on the levels alone; its values stay until the next call.
  void forward_levels(const pass& p) { forward(p, batch::levels); }
  void forward_rows(const pass& p) { forward(p, batch::rows); }
  /// Needs both forward passes, and the gradient of `from` in gradient(from). Adds to parameter_gradients().
  void backward(const pass& p, value from) {
    for (auto& s : slots_) s.has_gradient = false;
    slot(from).has_gradient = true;
    for (auto n = nodes_.rbegin(); n != nodes_.rend(); ++n)
      if (slot((*n)->writes).has_gradient) (*n)->backward(*this, p);
  }

  // -- for callers and nodes --
  [[nodiscard]] Engine& machine() noexcept { return engine_; }
  [[nodiscard]] gradients mode() const noexcept { return mode_; }
  [[nodiscard]] real* data(value v) noexcept { return slot(v).data; }
  /// Where v's rows of this pass begin.
  [[nodiscard]] real* rows_of(value v, const pass& p) noexcept {
    return slot(v).kind == batch::rows ? slot(v).data + p.first * slot(v).width : slot(v).data;
  }
  [[nodiscard]] real* gradient(value v) noexcept { return slot(v).gradient; }
  [[nodiscard]] bool needs_gradient(value v) const noexcept { return v.exists() && slot(v).needs_gradient; }
  /// Says that a node is about to give v's gradient; true where it must be added to what is there.
  [[nodiscard]] bool claim_gradient(value v) noexcept { return std::exchange(slot(v).has_gradient, true); }
  [[nodiscard]] index count(value v, const pass& p) const noexcept {
    return slot(v).kind == batch::rows ? p.rows : p.levels;
  }
  [[nodiscard]] const real* parameter_values(const parameter& p) const noexcept {
    if constexpr (remote_engine<Engine>)
      return parameters_.data() + p.offset;
    else
      return std::as_const(*store_).at(p);
  }
  /// All parameters where the machine reads them: the store's own values, or the copy that prepare() fills.
  [[nodiscard]] std::span<real> parameter_memory() noexcept {
    if constexpr (remote_engine<Engine>)
      return parameters_;
    else
      return store_->values();
  }
  [[nodiscard]] real* parameter_gradient(const parameter& p) noexcept {
    return mode_ == gradients::all ? parameter_gradients_.data() + p.offset : nullptr;
  }
  [[nodiscard]] std::span<real> parameter_gradients() noexcept { return parameter_gradients_; }
  /// Working memory of the node that runs; its contents do not last.
  [[nodiscard]] real* scratch() noexcept { return scratch_.data(); }
  [[nodiscard]] index max_rows() const noexcept { return max_rows_; }
  [[nodiscard]] index max_levels() const noexcept { return max_levels_; }
  /// Rows that v may have in a pass.
  [[nodiscard]] index capacity(value v) const noexcept { return slot(v).kind == batch::rows ? max_rows_ : max_levels_; }

 private:
  static constexpr int forever = 1 << 30;
  struct slot_state {
    batch kind;
    index width;
    image_shape image{};
    bool is_input = false, needs_gradient = false, has_gradient = false, by_rows = false;
    int first_use = 0, last_use = 0;
    real* data = nullptr;
    real* gradient = nullptr;
  };

  value new_slot(batch kind, index width) {
    slots_.push_back({.kind = kind, .width = width});
    return {static_cast<int>(slots_.size()) - 1};
  }
  [[nodiscard]] slot_state& slot(value v) noexcept { return slots_[static_cast<std::size_t>(v.id)]; }
  [[nodiscard]] const slot_state& slot(value v) const noexcept { return slots_[static_cast<std::size_t>(v.id)]; }
  [[nodiscard]] index capacity(const slot_state& s) const {
    return volume(shape<2>{s.kind == batch::rows ? max_rows_ : max_levels_, s.width});
  }
  void allocate_gradient(slot_state& s, index size) {
    if (!s.needs_gradient) return;
    memory_.push_back(engine_.allocate(size));
    s.gradient = memory_.back().data();
  }
  void forward(const pass& p, batch kind) {
    check(p.rows <= max_rows_ && p.levels <= max_levels_, "tape: planned for ", max_rows_, " rows and ", max_levels_,
          " levels, got ", p.rows, " and ", p.levels);
    if constexpr (requires(const Engine& e) {
                    { e.pool() } -> std::same_as<thread_pool&>;
                  })
      if (const index blocks = row_blocks(p); kind == batch::rows && blocks > 1) return forward_blocks(p, blocks);
    for (auto& n : nodes_)
      if (slot(n->writes).kind == kind) n->forward(*this, p);
  }
  /// Into how many blocks of rows the threads cut a pass; 1 where they had better share each node's work.
  [[nodiscard]] index row_blocks(const pass& p) const {
    constexpr index most = 64, least = 8, cached = 1 << 20;  // rows; parameters that a core's cache about holds
    const index threads = engine_.pool().threads();
    if (mode_ != gradients::off || p.level == nullptr || threads == 1) return 1;
    if (p.rows < threads * (store_->count() <= cached ? least : most)) return 1;
    return (p.rows + most * threads - 1) / (most * threads) * threads;
  }
  void forward_blocks(const pass& p, index blocks) {
    const auto is_row = [&](const auto& n) { return slot(n->writes).kind == batch::rows; };
    for (auto n = nodes_.begin(); n != nodes_.end();) {
      const auto last = std::find_if(n, nodes_.end(), [&](const auto& m) { return is_row(m) && !m->by_rows(); });
      if (std::count_if(n, last, is_row) > 0)
        parallel_for(engine_.pool(), p.rows, (p.rows + blocks - 1) / blocks, [&](index first, index end) {
          pass part = p;
          part.first = first;
          part.rows = end - first;
          part.level += first;
          for (auto m = n; m != last; ++m)
            if (is_row(*m)) (*m)->forward(*this, part);
        });
      n = last;
      if (n != nodes_.end()) (*n++)->forward(*this, p);
    }
  }

  Engine engine_;
  parameter_store<real>* store_;
  gradients mode_;
  std::uint64_t seed_;
  std::vector<slot_state> slots_;
  std::vector<std::unique_ptr<node<Engine>>> nodes_;
  std::vector<typename Engine::buffer> memory_;
  std::vector<value> taps_;
  typename Engine::buffer parameter_gradients_, scratch_, parameters_;  // the last one for a remote engine alone
  index max_rows_ = 0, max_levels_ = 0, layers_ = 0;
};

}  // namespace anodiff::nn
