// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cuda.cuh>
#include <anodiff/pipeline/rebuilding_run.hpp>

namespace anodiff {

/// The denoising loop on the GPU for any sampler: each reverse process is recorded once as a graph, and then replayed
/// as one launch, with the bits of denoising_loop. A graph serves one program and one number of rows, and every key;
/// those used last are kept. What a conditioner does between stages has no place in a graph.
template <denoiser Model, prediction Prediction>
class denoising_graphs {
 public:
  /// clip: how clean estimates are kept in range, at thresholds that rows find for themselves where it is dynamic;
  /// most: graphs that are kept, at least 1. Throws invalid_argument for fewer, and for clipping out of range. The
  /// model's parameters are taken as they are now.
  denoising_graphs(const Model& model, const Prediction& prediction, index row_size, const clipping& clip = {},
                   std::size_t most = 4)
      : model_{model}, prediction_{prediction}, on_{model.engine()}, row_size_{row_size}, clip_{clip}, most_{most} {
    clip.verify();
    check(most >= 1, "denoising_graphs: must keep at least one graph, got ", most);
  }

  /// x (rows, row_size), in device memory, goes from the program's first level to its last; stage i draws noise from
  /// key with step i. The first run of a program goes launch by launch, so that whatever is chosen or loaded at first
  /// use is there when the second one is recorded.
  void run(float* x, index rows, std::span<const stage> program, const noise_key& key) {
    if (rows <= 0 || program.empty()) return;
    auto& e = entry_for(program, rows);
    const index count = rows * row_size_;
    noise_key now = key;
    now.step = 0;  // the stages' own
    on_.run(ops::cuda::set_value<noise_key>{e.key.data(), now});
    on_.send(x, e.state.data(), count);
    const auto enqueue = [&] {
      e.loop.run(
          e.state.data(), rows, key, [](std::size_t) {}, e.key.data());
    };
    if (e.runs == 1) e.graph = device::graph{on_.stream(), enqueue};
    if (e.graph.exists())
      e.graph.replay(on_.stream());
    else
      enqueue();
    ++e.runs;
    on_.send(e.state.data(), x, count);
  }
  /// Graphs that have been recorded and are kept.
  [[nodiscard]] std::size_t recorded() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const auto& e) { return e->graph.exists(); }));
  }

 private:
  struct entry {
    std::vector<stage> program;
    index rows;
    denoising_loop<Model, Prediction> loop;
    device_buffer<float> state;
    device_buffer<noise_key> key;
    device::graph graph{};
    index runs = 0;
  };

  /// The entry, moved to the end: the first one is the one that has not been used for longest.
  [[nodiscard]] entry& entry_for(std::span<const stage> program, index rows) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) {
      return e->rows == rows && std::equal(program.begin(), program.end(), e->program.begin(), e->program.end());
    });
    if (found != entries_.end()) {
      std::rotate(found, found + 1, entries_.end());
      return *entries_.back();
    }
    if (entries_.size() == most_) entries_.erase(entries_.begin());
    std::vector<stage> stages(program.begin(), program.end());
    entries_.push_back(std::unique_ptr<entry>(new entry{.program = stages,
                                                        .rows = rows,
                                                        .loop = {model_, prediction_, stages, rows, row_size_, clip_},
                                                        .state = on_.allocate(rows * row_size_),
                                                        .key = on_.template allocate<noise_key>(1)}));
    return *entries_.back();
  }

  Model model_;
  Prediction prediction_;
  cuda_engine on_;
  index row_size_;
  clipping clip_;
  std::size_t most_;
  std::vector<std::unique_ptr<entry>> entries_;
};

}  // namespace anodiff
