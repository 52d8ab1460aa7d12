// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/io/folder.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace anodiff::io {

/// A picture to test on.
struct test_picture {
  std::string path;
  std::string kind;  ///< the name of its folder: "good" or the kind of defect
  int label = 0;     ///< 1 = anomaly
  std::string mask;  ///< path of the picture that marks its defects; empty where there is none
  [[nodiscard]] bool operator==(const test_picture&) const = default;
};

/// Paths of a set of pictures, both lists in the order of their bytes.
struct picture_layout {
  std::vector<std::string> train;  ///< normal
  std::vector<test_picture> test;
};

namespace detail {

inline bool is_folder(const std::string& path) noexcept {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

/// The pictures of one kind, with their masks in ground_truth/KIND: of the same stem, with or without "_mask" behind
/// it.
inline void add_kind(picture_layout& out, const std::string& root, const std::string& folder,
                     std::vector<std::string> paths) {
  const std::string kind{name_of(folder)};
  const bool normal = kind == "good";
  const auto truth = path_in(root, "ground_truth/" + kind);
  const auto masks = !normal && is_folder(truth) ? files_in(truth) : std::vector<std::string>{};
  const auto mask_of = [&](std::string_view stem) -> std::string {
    for (const auto& wanted : {concat(stem, "_mask"), std::string{stem}}) {
      const auto start = path_in(truth, wanted);
      for (auto at = std::lower_bound(masks.begin(), masks.end(), start); at != masks.end(); ++at) {
        if (!at->starts_with(start)) break;
        if (stem_of(*at) == wanted) return *at;
      }
    }
    return {};
  };
  for (auto& path : paths) {
    auto mask = mask_of(stem_of(path));
    out.test.push_back({std::move(path), kind, normal ? 0 : 1, std::move(mask)});
  }
}

inline void finish(picture_layout& layout) {
  std::sort(layout.train.begin(), layout.train.end());
  std::sort(layout.test.begin(), layout.test.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
}

/// Orders by the last number in the stem, and by name where that is equal or missing.
inline std::tuple<std::size_t, std::string_view, std::string_view> number_key(std::string_view path) noexcept {
  constexpr std::string_view digits = "0123456789";
  const auto stem = stem_of(path);
  const auto last = stem.find_last_of(digits);
  if (last == std::string_view::npos) return {0, {}, path};
  const auto before = stem.find_last_not_of(digits, last);
  auto number = stem.substr(before + 1, last - before);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size() - 1));
  return {number.size(), number, path};
}

}  // namespace detail

/// The layout of MVTec AD: train/good, test/good, test/KIND, and ground_truth/KIND with masks. Throws io_error where
/// train/good or test cannot be listed.
[[nodiscard]] inline picture_layout mvtec_layout(const std::string& root) {
  picture_layout out{files_in(path_in(root, "train/good")), {}};
  for (const auto& folder : folders_in(path_in(root, "test"))) detail::add_kind(out, root, folder, files_in(folder));
  detail::finish(out);
  return out;
}

/// How the normal pictures of one folder are split by the last number in their names.
struct split_by_number {
  double train = 0.70;  ///< share of the lowest numbers, rounded down; in [0, 1]
  double test = 0.28;   ///< share of the highest, rounded down; in [0, 1 - train]. What lies between is left out, so
                        ///< that pictures of one part, taken one after another, do not fall on both sides
};

/// The layout of one folder a kind: good, KIND, and ground_truth/KIND with masks; good is split by number, all other
/// kinds are for testing. Throws invalid_argument on shares out of range, io_error where a folder cannot be listed.
[[nodiscard]] inline picture_layout kinds_layout(const std::string& root, split_by_number split = {}) {
  check(split.train >= 0 && split.test >= 0 && split.train + split.test <= 1 + 1e-9,
        "kinds_layout: shares must be at least 0 and at most 1 together, got ", split.train, " and ", split.test);
  auto good = files_in(path_in(root, "good"));
  std::sort(good.begin(), good.end(),
            [](const auto& a, const auto& b) { return detail::number_key(a) < detail::number_key(b); });
  const auto part = [&](double share) {  // 1e-9: 0.7 * 10 must not fall below 7
    const auto count = static_cast<std::ptrdiff_t>(share * static_cast<double>(good.size()) + 1e-9);
    return std::min(count, static_cast<std::ptrdiff_t>(good.size()));
  };
  const auto train_end = good.begin() + part(split.train), test_begin = good.end() - part(split.test);
  picture_layout out{{good.begin(), train_end}, {}};
  detail::add_kind(out, root, path_in(root, "good"), {test_begin, good.end()});
  for (const auto& folder : folders_in(root))
    if (name_of(folder) != "good" && name_of(folder) != "ground_truth")
      detail::add_kind(out, root, folder, files_in(folder));
  detail::finish(out);
  return out;
}

/// Whichever of the two layouts a folder has. Throws data_error where it has neither.
[[nodiscard]] inline picture_layout find_layout(const std::string& root) {
  if (detail::is_folder(path_in(root, "train/good")) && detail::is_folder(path_in(root, "test")))
    return mvtec_layout(root);
  check<data_error>(detail::is_folder(path_in(root, "good")), root,
                    ": needs folders train/good and test, or a folder good");
  return kinds_layout(root);
}

}  // namespace anodiff::io
