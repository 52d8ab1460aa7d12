// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/philox.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace laws {

using anodiff::index;  // at global scope it would also be the C library's function

inline constexpr double ulp = std::numeric_limits<double>::epsilon();

/// Every policy: a name fit for files, the params that it was given, and numbers that survive being written as text.
template <anodiff::policy P>
void check_policy(const typename P::params& given = {}) {
  const std::string name{P::name};
  INFO(name);
  CHECK(!name.empty());
  CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);

  anodiff::text_fields before, after;
  anodiff::append_fields(before, "p.", given);
  anodiff::append_fields(after, "p.", static_cast<typename P::params>(P{given}.parameters()));
  CHECK(after == before);
  typename P::params read{};
  for (const auto& [key, text] : before) CHECK(anodiff::assign_field(read, "p.", key, text));
  after.clear();
  anodiff::append_fields(after, "p.", read);
  CHECK(after == before);
  CHECK(!anodiff::assign_field(read, "p.", "p.no_such_field", "1"));
}

/// The params of P with its field `name` set.
template <class P, class Value>
[[nodiscard]] typename P::params with(std::string_view name, const Value& value, typename P::params p = {}) {
  REQUIRE(anodiff::assign_field(p, "", name, anodiff::concat(value)));
  return p;
}

namespace detail {
template <class List>
struct names;
template <class... Ps>
struct names<std::tuple<Ps...>> {
  static std::vector<std::string> get() { return {std::string{Ps::name}...}; }
};
}  // namespace detail

/// Fails where include/anodiff/FOLDER defines a policy that List, over which the laws run, lacks.
template <class List>
void check_all_listed(const std::string& folder) {
  const auto listed = detail::names<List>::get();
  const std::filesystem::path headers = std::filesystem::path{ANODIFF_TESTS_DIR} / ".." / "include/anodiff" / folder;
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator{headers}) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file{entry.path()};
    for (std::string line; std::getline(file, line);) {
      const std::string_view mark = "static constexpr std::string_view name = \"";
      const auto at = line.find(mark);
      if (at == std::string::npos) continue;
      const auto first = at + mark.size();
      const std::string name = line.substr(first, line.find('"', first) - first);
      INFO(entry.path().filename().string() << " defines '" << name << "': add it to the list in tests/laws");
      CHECK(std::count(listed.begin(), listed.end(), name) >= 1);
      ++found;
    }
  }
  CHECK(found >= 1);
}

/// Uniform in [low, high): element i of a seeded sequence.
[[nodiscard]] inline double uniform(std::uint64_t seed, std::size_t i, double low, double high) {
  return low + (high - low) * anodiff::random_uniform({.seed = seed}, i);
}

}  // namespace laws
