// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <iomanip>
#include <map>
#include <ostream>
#include <set>
#include "results.hpp"
#include "statistics.hpp"

namespace adbench {

/// Results of one protocol by method and set; sets that some method lacks are left out.
struct table {
  std::vector<std::string> methods, sets;
  std::map<std::string, std::map<std::string, std::vector<result>>> of;  ///< [method][set]: one for each seed

  [[nodiscard]] double auroc(const std::string& method, const std::string& set) const {
    double sum = 0;
    const auto& runs = of.at(method).at(set);
    for (const auto& r : runs) sum += r.auroc;
    return sum / static_cast<double>(runs.size());
  }
  [[nodiscard]] std::vector<double> aurocs(const std::string& method, const std::vector<std::string>& over) const {
    std::vector<double> out;
    for (const auto& set : over) out.push_back(auroc(method, set));
    return out;
  }
};

inline double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
inline double deviation_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return values.size() > 1 ? std::sqrt(sum / static_cast<double>(values.size() - 1)) : 0;
}

inline table table_of(const std::vector<result>& results, const std::string& protocol) {
  table out;
  std::set<std::string> sets;
  for (const auto& r : results) {
    if (r.protocol != protocol) continue;
    if (!out.of.contains(r.method)) out.methods.push_back(r.method);
    out.of[r.method][r.set].push_back(r);
    sets.insert(r.set);
  }
  for (const auto& set : sets)
    if (std::ranges::all_of(out.methods, [&](const auto& m) { return out.of.at(m).contains(set); }))
      out.sets.push_back(set);
  return out;
}

/// Mean AUROC in per cent by set, summary, tests against the first method, cost and alarm rates.
inline void report(std::ostream& out, const table& t) {
  anodiff::check(!t.sets.empty(), "report: there is no set that all methods of that protocol have been run on");
  out << std::fixed << std::setprecision(2) << "| set |";
  for (const auto& m : t.methods) out << ' ' << m << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i < t.methods.size(); ++i) out << "---|";
  std::map<std::string, double> rank;
  for (const auto& set : t.sets) {
    out << "\n| " << set << " |";
    std::vector<double> values;
    for (const auto& m : t.methods) {
      values.push_back(t.auroc(m, set));
      out << ' ' << 100 * values.back() << " |";
    }
    const auto ranks = ranks_of(values);
    for (std::size_t i = 0; i < ranks.size(); ++i) rank[t.methods[i]] += ranks[i] / static_cast<double>(t.sets.size());
  }
  out << "\n\n| method | mean AUROC | sd over sets | mean sd over seeds | mean rank | AP | F1 | p against "
      << t.methods[0]
      << " (signed rank, Holm) | fit s, mean and largest | rows/s scored "
         "|\n|---|---|---|---|---|---|---|---|---|---|\n";
  std::vector<double> p;
  for (const auto& m : t.methods) {
    std::vector<double> differences;
    for (const auto& set : t.sets) differences.push_back(t.auroc(m, set) - t.auroc(t.methods[0], set));
    if (m != t.methods[0]) p.push_back(signed_rank_p(differences));
  }
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < t.methods.size(); ++i) {
    const auto& m = t.methods[i];
    const auto values = t.aurocs(m, t.sets);
    double ap = 0, f1 = 0, fit = 0, longest = 0, rows = 0, score = 0, runs = 0, noise = 0;
    for (const auto& set : t.sets) {
      std::vector<double> seeds;
      for (const auto& r : t.of.at(m).at(set)) {
        ap += r.ap;
        f1 += r.f1;
        fit += r.fit_seconds;
        longest = std::max(longest, r.fit_seconds);
        rows += static_cast<double>(r.test);
        score += r.score_seconds;
        seeds.push_back(r.auroc);
        ++runs;
      }
      noise += deviation_of(seeds) / static_cast<double>(t.sets.size());
    }
    out << "| " << m << " | " << 100 * mean_of(values) << " | " << 100 * deviation_of(values) << " | " << 100 * noise
        << " | " << rank.at(m) << " | " << ap / runs << " | " << f1 / runs << " | ";
    if (i > 0) out << std::setprecision(4) << adjusted[i - 1] << std::setprecision(2);
    out << " | " << fit / runs << ", " << longest << " | " << std::setprecision(0) << rows / score << " |\n"
        << std::setprecision(2);
  }
  out << "\nFalse alarms on normal test rows, in per cent: mean over sets of obtained minus promised, and the sets "
         "whose\n"
         "count the beta-binomial law gives p < 0.05 (first seed).\n\n| method |";
  for (const double rate : rates) out << " at " << 100 * rate << " % |";
  out << "\n|---|---|---|---|\n";
  for (const auto& m : t.methods) {
    std::string cells;
    bool any = false;
    for (std::size_t r = 0; r < rates.size(); ++r) {
      double gap = 0, sets = 0, unlikely = 0;
      for (const auto& set : t.sets) {
        const auto& runs = t.of.at(m).at(set);
        double obtained = 0, used = 0;
        for (const auto& one : runs)
          if (rates[r] * static_cast<double>(one.calibrated + 1) >= 1) {
            obtained += static_cast<double>(one.alarms[r]) / static_cast<double>(one.normals);
            ++used;
          }
        if (used == 0) continue;
        gap += obtained / used - rates[r];
        ++sets;
        if (alarm_count_p(runs[0].calibrated, runs[0].normals, rates[r], runs[0].alarms[r]) < 0.05) ++unlikely;
      }
      any = any || sets > 0;
      std::ostringstream cell;
      cell << std::fixed << std::setprecision(2) << ' ' << std::showpos << (sets > 0 ? 100 * gap / sets : 0)
           << std::noshowpos << "; " << std::setprecision(0) << unlikely << " of " << sets << " |";
      cells += cell.str();
    }
    if (any) out << "| " << m << " |" << cells << '\n';
  }
}

/// Chooses the candidate of highest mean AUROC on a random half of the sets and judges it, against the best bar of that
/// same half, on the other half; 20 times, each in both directions. Prints the judged gain beside the one in sample.
inline void choose(std::ostream& out, const table& t, const std::vector<std::string>& candidates,
                   const std::string& bar) {
  std::vector<std::string> bars;
  for (const auto& m : t.methods)
    if (m.starts_with(bar)) bars.push_back(m);
  anodiff::check(!bars.empty(), "choose: no method starts with '", bar, "'");
  const auto best = [&](const std::vector<std::string>& among, const std::vector<std::string>& sets) {
    return *std::ranges::max_element(among, {}, [&](const auto& m) { return mean_of(t.aurocs(m, sets)); });
  };
  const auto gain = [&](const std::string& chosen, const std::string& beaten, const std::vector<std::string>& sets) {
    return 100 * (mean_of(t.aurocs(chosen, sets)) - mean_of(t.aurocs(beaten, sets)));
  };
  constexpr std::uint32_t repeats = 20;
  std::vector<double> judged;
  std::map<std::string, int> times;
  for (std::uint32_t r = 0; r < repeats; ++r) {
    auto sets = t.sets;
    const anodiff::noise_key key{.seed = r, .use = anodiff::purpose::split};
    for (std::size_t i = sets.size(); i > 1; --i) std::swap(sets[i - 1], sets[anodiff::random_below(key, i, i)]);
    const auto middle = sets.begin() + static_cast<std::ptrdiff_t>(sets.size() / 2);
    const std::vector<std::string> half{sets.begin(), middle}, other{middle, sets.end()};
    for (const auto& [chosen_on, judged_on] : {std::pair{half, other}, std::pair{other, half}}) {
      const std::string chosen = best(candidates, chosen_on);
      ++times[chosen];
      judged.push_back(gain(chosen, best(bars, chosen_on), judged_on));
    }
  }
  std::ranges::sort(judged);
  const std::string chosen = best(candidates, t.sets), beaten = best(bars, t.sets);
  out << std::fixed << std::setprecision(2) << "chosen on all sets: " << chosen << ", " << gain(chosen, beaten, t.sets)
      << " points above " << beaten << " in sample\njudged on the other half (" << judged.size()
      << " halves): " << mean_of(judged) << " points above the best bar, 95 % of halves in ["
      << judged[judged.size() / 40] << ", " << judged[judged.size() - 1 - judged.size() / 40] << "]\nchosen:";
  for (const auto& [m, count] : times) out << ' ' << m << ' ' << count << " times;";
  out << "\nsets where " << beaten << " is better:";
  for (const auto& set : t.sets)
    if (t.auroc(beaten, set) > t.auroc(chosen, set))
      out << ' ' << set << " (" << 100 * (t.auroc(beaten, set) - t.auroc(chosen, set)) << ");";
  out << '\n';
}

}  // namespace adbench
