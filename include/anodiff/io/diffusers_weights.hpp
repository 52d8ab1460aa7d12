// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/safetensors.hpp>
#include <anodiff/io/diffusers_config.hpp>
#include <anodiff/nn/parameters.hpp>
#include <array>
#include <map>
#include <utility>

namespace anodiff::io {

/// The tensors of one model of diffusers: one safetensors file, or several with an index.
class diffusers_weights {
 public:
  static constexpr std::string_view stem = "diffusion_pytorch_model";
  static constexpr std::uint64_t index_limit = std::uint64_t{64} << 20;  ///< bytes of an index that is read
  static constexpr std::size_t most_shards = 1000;

  /// Reads the weights in a folder. variant as in diffusers, "fp16" say; where it is empty and there are no plain
  /// weights, fp16 and bf16 are looked for. Throws io_error where a file cannot be read, and data_error where there is
  /// none, one is damaged, or there are pickles alone, which could run code.
  [[nodiscard]] static diffusers_weights read(const std::string& folder, const std::string& variant = {}) {
    std::vector<std::string> variants{variant};
    if (variant.empty()) variants.insert(variants.end(), {"fp16", "bf16"});
    for (const auto& v : variants) {
      const std::string dotted = v.empty() ? v : concat(".", v);
      const std::string whole = concat(folder, "/", stem, dotted, ".safetensors");
      if (formats::file_exists(whole)) return diffusers_weights{whole};
      for (const auto& name :
           {concat(stem, ".safetensors.index", dotted, ".json"), concat(stem, dotted, ".safetensors.index.json")})
        if (formats::file_exists(concat(folder, "/", name))) return from_index(folder, concat(folder, "/", name));
    }
    refuse_pickles(folder);
    throw data_error(concat(folder, ": needs ", stem, variant.empty() ? "" : concat(".", variant),
                            ".safetensors, or an index of its parts, got neither"));
  }

  /// The tensor of that name; older names of attention are tried too. Throws data_error where there is none.
  [[nodiscard]] const formats::named_tensor& find(std::string_view name) {
    const auto found = entry_of(name);
    check<data_error>(found != entries_.end(), name_, ": needs a tensor ", formats::in_quotes(name), ", got none");
    found->second.used = true;
    return *found->second.tensor;
  }
  /// Throws data_error, naming some, where tensors are left that nobody asked for.
  void check_all_used() const {
    std::string list;
    std::size_t left = 0;
    constexpr std::size_t shown = 3;
    for (const auto& [name, found] : entries_)
      if (!found.used && ++left <= shown) list += concat(left == 1 ? "" : ", ", formats::in_quotes(name));
    check<data_error>(left == 0, name_, ": has ", left, left == 1 ? " tensor" : " tensors",
                      " that the network of its config has not: ", list, left > shown ? ", …" : "");
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    const formats::named_tensor* tensor;
    bool used = false;
  };
  using entries_type = std::map<std::string, entry, std::less<>>;

  explicit diffusers_weights(const std::string& path) : name_{path} { add(path); }
  explicit diffusers_weights(std::string name, const std::vector<std::string>& paths) : name_{std::move(name)} {
    for (const auto& path : paths) add(path);
  }
  void add(const std::string& path) {
    files_.push_back(std::make_unique<formats::safetensors_file>(formats::read_safetensors(path)));
    for (const auto& tensor : files_.back()->tensors)
      check<data_error>(entries_.emplace(tensor.name, entry{&tensor}).second, name_, ": tensor ",
                        formats::in_quotes(tensor.name), " stands in two files");
  }
  [[nodiscard]] static diffusers_weights from_index(const std::string& folder, const std::string& path) {
    const auto content = formats::read_file(path, index_limit);
    const auto values = formats::parse_json(formats::text_of(content.span()), path, {.depth = 4});
    const std::string who = concat(path, ": \"weight_map\"");
    std::map<std::string, std::string, std::less<>> shard_of;
    std::vector<std::string> names;
    for (const auto& [tensor, shard] : values.at("weight_map", path).members(who)) {
      const auto& file = shard.string(who);
      check<data_error>(file.find('/') == std::string::npos && file.ends_with(".safetensors"), who,
                        " must name safetensors files beside it, got ", formats::in_quotes(file));
      shard_of.emplace(tensor, concat(folder, "/", file));
      names.push_back(shard_of.at(tensor));
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    check<data_error>(!names.empty() && names.size() <= most_shards, who, " must name 1 to ", most_shards,
                      " files, got ", names.size());
    diffusers_weights out{path, names};
    for (const auto& file : out.files_)
      for (const auto& tensor : file->tensors) {
        const auto listed = shard_of.find(tensor.name);
        check<data_error>(listed != shard_of.end() && listed->second == file->name, who, " does not say that ",
                          file->name, " has a tensor ", formats::in_quotes(tensor.name));
      }
    for (const auto& [tensor, file] : shard_of)
      check<data_error>(out.entries_.contains(tensor), file, ": needs a tensor ", formats::in_quotes(tensor),
                        ", which ", path, " promises, got none");
    return out;
  }
  static void refuse_pickles(const std::string& folder) {
    for (const auto* suffix : {".bin", ".fp16.bin", ".pt", ".pth", ".ckpt"}) {
      const std::string file = concat(stem, suffix);
      check<data_error>(!formats::file_exists(concat(folder, "/", file)), folder, ": needs ", stem,
                        ".safetensors, got ", file,
                        ", a pickle, which can run code when it is read and is refused; where you trust it, convert "
                        "it: python -c \"import diffusers; m = diffusers.UNet2DModel.from_pretrained('",
                        folder, "', use_safetensors=False); m.save_pretrained('", folder, "')\"");
    }
  }
  [[nodiscard]] entries_type::iterator entry_of(std::string_view name) {
    if (const auto found = entries_.find(name); found != entries_.end()) return found;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> older{
        {{".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}}};
    for (const auto& [now, then] : older)
      if (const auto at = name.find(now); at != std::string_view::npos)
        return entries_.find(concat(name.substr(0, at), then, name.substr(at + now.size())));
    return entries_.end();
  }

  std::string name_;
  std::vector<std::unique_ptr<formats::safetensors_file>> files_;
  entries_type entries_;
};

/// Where the layout of a parameter of UNet2DModel differs from that of a matrix here.
enum class diffusers_layout {
  vector,    ///< (n), here (1, n)
  table,     ///< (rows, columns), the same here
  dense,     ///< (out, in), here (in, out)
  window,    ///< (out, in, 3, 3), here (9 in, out), taps row by row
  pointwise  ///< (out, in, 1, 1), here (in, out)
};

[[nodiscard]] inline diffusers_layout diffusers_layout_of(const nn::parameter& p) {
  const auto has = [&](std::string_view part) { return p.name.find(part) != std::string::npos; };
  if (p.name == "time_proj.weight") return p.rows == 1 ? diffusers_layout::vector : diffusers_layout::table;
  if (p.name == "class_embedding.weight") return diffusers_layout::table;
  if (p.name.ends_with(".bias") || has("norm")) return diffusers_layout::vector;
  if (has("conv_shortcut") || (has("skip_conv") && p.name.starts_with("down_blocks.")))
    return diffusers_layout::pointwise;
  return has("conv") ? diffusers_layout::window : diffusers_layout::dense;
}

/// The shape that diffusers gives a parameter.
[[nodiscard]] inline std::vector<index> diffusers_shape(const nn::parameter& p) {
  switch (diffusers_layout_of(p)) {
    case diffusers_layout::vector:
      return {p.columns};
    case diffusers_layout::table:
      return {p.rows, p.columns};
    case diffusers_layout::dense:
      return {p.columns, p.rows};
    case diffusers_layout::pointwise:
      return {p.columns, p.rows, 1, 1};
    default:
      return {p.columns, p.rows / 9, 3, 3};
  }
}

/// A tensor of diffusers as the matrix of a parameter; half precision and double become T. Throws data_error, naming
/// file and tensor, for another shape or type.
template <class T>
[[nodiscard]] tensor<T, 2> diffusers_matrix(const formats::named_tensor& from, std::string_view file,
                                            const nn::parameter& p) {
  const auto layout = diffusers_layout_of(p);
  const auto wanted = diffusers_shape(p);
  check<data_error>(from.shape == wanted, file, ": tensor ", formats::in_quotes(from.name), " must have shape ",
                    formats::shape_text(wanted), ", got ", formats::shape_text(from.shape));
  using formats::dtype;
  check<data_error>(
      from.type == dtype::f32 || from.type == dtype::f16 || from.type == dtype::bf16 || from.type == dtype::f64, file,
      ": tensor ", formats::in_quotes(from.name), " must be of float32, float16, bfloat16 or float64, got ",
      formats::name_of(from.type));
  tensor<T, 2> out{shape<2>{p.rows, p.columns}};
  const bool straight = layout == diffusers_layout::vector || layout == diffusers_layout::table;
  const index taps = layout == diffusers_layout::window ? 9 : 1, in = p.rows / taps;
  constexpr index together = 16;  // outputs that fill a cache line of the result
  formats::visit_dtype(from.type, [&](auto load) {
    using loader = decltype(load);
    const auto stored = [&](index i) {
      return static_cast<T>(loader::at(from.bytes.data() + i * static_cast<index>(loader::size)));
    };
    if (straight)
      for (index i = 0; i < p.count(); ++i) out.data()[i] = stored(i);
    else
      for (index first = 0; first < p.columns; first += together)
        for (index c = 0; c < in; ++c)
          for (index tap = 0; tap < taps; ++tap)
            for (index o = first; o < std::min(first + together, p.columns); ++o)
              out.data()[(tap * in + c) * p.columns + o] = stored((o * in + c) * taps + tap);
  });
  return out;
}

}  // namespace anodiff::io
