// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/attention.hpp>

namespace anodiff::nn {

template <engine Engine>
class attention_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  attention_node(value q, value k, value v, index queries, index keys, index heads, index width)
      : q_{q}, k_{k}, v_{v}, queries_{queries}, keys_{keys}, heads_{heads}, width_{width} {
    this->reads = {q, k, v};
  }
  void prepare(tape<Engine>& t) override {
    const index most = t.max_rows() * heads_ * queries_;
    if (t.mode() != gradients::off && static_cast<index>(log_sum_.size()) < most) log_sum_ = t.machine().allocate(most);
  }
  index scratch(tape<Engine>& t) override {
    const index forward = t.machine().scratch(sized<ops::attention_forward<real>>(t.max_rows()));
    if (t.mode() == gradients::off) return forward;
    return std::max(forward, t.machine().scratch(sized<ops::attention_backward<real>>(t.max_rows())));
  }
  void forward(tape<Engine>& t, const pass& p) override {
    auto op = sized<ops::attention_forward<real>>(p.rows);
    op.q = t.data(q_);
    op.k = t.data(k_);
    op.v = t.data(v_);
    op.y = t.data(this->writes);
    if (log_sum_.size() != 0) op.log_sum = log_sum_.data();
    op.scratch = t.scratch();
    t.machine().run(op);
  }
  void backward(tape<Engine>& t, const pass& p) override {
    auto op = sized<ops::attention_backward<real>>(p.rows);
    op.q = t.data(q_);
    op.k = t.data(k_);
    op.v = t.data(v_);
    op.y = t.data(this->writes);
    op.dy = t.gradient(this->writes);
    op.log_sum = log_sum_.data();
    const auto claim = [&](value v, real*& to, bool& add) {
      if (!t.needs_gradient(v)) return;
      to = t.gradient(v);
      add = t.claim_gradient(v);
    };
    claim(q_, op.dq, op.add_q);
    claim(k_, op.dk, op.add_k);
    claim(v_, op.dv, op.add_v);
    op.scratch = t.scratch();
    t.machine().run(op);
  }

 private:
  template <class Operation>
  [[nodiscard]] Operation sized(index rows) const noexcept {
    Operation op{};
    op.n = rows;
    op.queries = queries_;
    op.keys = keys_;
    op.heads = heads_;
    op.width = width_;
    return op;
  }
  value q_, k_, v_;
  index queries_, keys_, heads_, width_;
  typename Engine::buffer log_sum_;
};

/// Each pixel of q looks at all pixels of k and takes the mean of v that follows: see ops::attention_forward. Throws
/// invalid_argument where one is no picture, k and v differ in shape, q in channels, or heads do not divide them.
template <engine Engine>
value attention(tape<Engine>& t, value q, value k, value v, index heads) {
  const image_shape query = t.image(q, "nn::attention"), key = t.image(k, "nn::attention");
  check(key == t.image(v, "nn::attention") && key.channels == query.channels && t.kind(q) == batch::rows &&
            t.kind(k) == batch::rows && t.kind(v) == batch::rows,
        "nn::attention: needs keys and values of one shape, and queries of their ", key.channels,
        " channels, for each sample; got ", t.image(v).channels, " channels of values and ", query.channels,
        " of queries");
  check(heads >= 1 && query.channels % heads == 0, "nn::attention: heads must divide ", query.channels,
        " channels, got ", heads);
  return t.record(
      std::make_unique<attention_node<Engine>>(q, k, v, query.pixels(), key.pixels(), heads, query.channels / heads),
      batch::rows, query, false);
}

}  // namespace anodiff::nn
