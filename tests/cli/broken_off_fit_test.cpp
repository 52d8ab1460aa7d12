// SPDX-License-Identifier: Apache-2.0
// A fit that is killed, interrupted, or runs out of its time.
#include <chrono>
#include <thread>

#include "program.hpp"

namespace cli {

namespace {

struct bench {
  scratch_folder folder;
  std::string data = folder / "data.csv", model = folder / "m.anodiff", checkpoint = folder / "c";

  bench() {
    auto rows = clusters(120, 0);
    rows.has_labels = rows.has_ids = false;
    formats::write_csv(data, rows);
  }
  [[nodiscard]] words fit(const std::string& out, index steps, words more = {}) const {
    words arguments{"--data", data, "--out", out, "--set", concat("training.steps=", steps)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tiny("denoising_error", arguments);
  }
  [[nodiscard]] words with_checkpoint(index steps, words more = {}) const {
    more.insert(more.end(), {"--checkpoint", checkpoint, "--checkpoint-seconds", "0.02"});
    return fit(model, steps, more);
  }
  /// Waits until a checkpoint is there that differs from an earlier one.
  void await_checkpoint(const std::string& before = {}) const {
    const auto is_new = [&] { return exists(checkpoint) && content_of(checkpoint) != before; };
    for (int i = 0; i < 5000 && !is_new(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    REQUIRE(is_new());
  }
  [[nodiscard]] std::string scores_of(const std::string& by) const {
    const auto scores = folder / "s.npy";
    done(folder, {"score", by, "--data", data, "--out", scores});
    return content_of(scores);
  }
};

}  // namespace

TEST_CASE("a killed fit goes on from its checkpoint, to the same bits", "[cli]") {
  const bench at;
  constexpr index steps = 3000;
  const auto uninterrupted = at.folder / "whole.anodiff";
  done(at.folder, at.fit(uninterrupted, steps));
  for (int kill = 0; kill < 2; ++kill) {
    const auto before = content_of(at.checkpoint);
    started fit{at.folder, at.with_checkpoint(steps)};
    at.await_checkpoint(before);
    fit.signal(SIGKILL);
    CHECK(fit.wait().signal == SIGKILL);
    CHECK_FALSE(exists(at.model));
  }
  const auto last = done(at.folder, at.with_checkpoint(steps));
  CHECK(last.err.starts_with(concat("anodiff: goes on from the checkpoint ", at.checkpoint, "\n")));
  CHECK_FALSE(exists(at.checkpoint));
  CHECK(at.scores_of(at.model) == at.scores_of(uninterrupted));
}

TEST_CASE("a checkpoint of another fit, or a cut one, is refused", "[cli]") {
  const bench at;
  {
    started fit{at.folder, at.with_checkpoint(1'000'000)};
    at.await_checkpoint();
    fit.signal(SIGKILL);
    fit.wait();
  }
  const auto other = run(at.folder, at.with_checkpoint(50));
  CHECK(other.code == 3);
  CHECK(other.err.find(concat("anodiff: ", at.checkpoint,
                              ": was written by a fit with other data or other numbers; remove it, or name another "
                              "file\n")) != std::string::npos);
  write_text(at.checkpoint, content_of(at.checkpoint).substr(0, 3000));
  CHECK(run(at.folder, at.with_checkpoint(1'000'000)).code == 3);
  CHECK_FALSE(exists(at.model));
}

TEST_CASE("Ctrl-C ends training, and keeps what has been learned", "[cli]") {
  const bench at;
  started fit{at.folder, at.with_checkpoint(100'000'000, {"--json"})};
  at.await_checkpoint();
  fit.signal(SIGINT);
  const auto found = fit.wait();
  INFO(found.err);
  REQUIRE(found.code == 0);
  CHECK(found.json().at("stopped_by").string() == "Ctrl-C");
  CHECK(found.json().at("steps").integer() < 100'000'000);
  CHECK(found.err.find("anodiff: stopped at step ") == 0);
  CHECK(exists(at.checkpoint));
  CHECK(at.scores_of(at.model).size() > 8 * 120);
}

TEST_CASE("Ctrl-C ends scoring, and calibrating what only remembers, without a file", "[cli]") {
  const bench at;
  const auto slow = at.folder / "slow.anodiff", rows = at.folder / "rows.csv", scores = at.folder / "scores.npy";
  done(at.folder, at.fit(slow, 10, {"--set", "scorer.levels=200", "--set", "scorer.repeats=10"}));
  auto many = clusters(20'000, 0);
  many.has_labels = many.has_ids = false;
  formats::write_csv(rows, many);
  for (const auto& command : {words{"score", slow, "--data", rows, "--out", scores, "--threads", "1"},
                              words{"fit", "dte_np", "--data", rows, "--out", at.model, "--set",
                                    "calibration_limit=20000", "--set", "scorer.neighbours=100", "--threads", "1"}}) {
    CAPTURE(command);
    started work{at.folder, command};
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    work.signal(SIGINT);
    const auto found = work.wait();
    CHECK(found.signal == SIGINT);
    CHECK(found.out.empty());
    CHECK_FALSE(exists(scores));
    CHECK_FALSE(exists(at.model));
  }
}

TEST_CASE("a fit that its time budget ended goes on from there, to the same bits", "[cli]") {
  const bench at;
  constexpr index steps = 3000;
  const auto uninterrupted = at.folder / "whole.anodiff";
  done(at.folder, at.fit(uninterrupted, steps));
  const auto step_of = [](const ended& found) { return found.json().at("steps").integer(); };
  const auto part = [&](words more) {  // no write falls due while training runs
    more.insert(more.end(), {"--checkpoint", at.checkpoint, "--checkpoint-seconds", "1e9", "--json"});
    return at.fit(at.model, steps, std::move(more));
  };
  const auto short_of_time = done(at.folder, part({"--time-budget", "0.001"}));
  CHECK(step_of(short_of_time) < steps);
  CHECK(exists(at.checkpoint));
  const auto longer = done(at.folder, part({"--time-budget", "0.001"}));
  CHECK(step_of(longer) > step_of(short_of_time));
  const auto whole = done(at.folder, part({}));
  CHECK(step_of(whole) == steps);
  CHECK_FALSE(exists(at.checkpoint));
  CHECK(at.scores_of(at.model) == at.scores_of(uninterrupted));
}

TEST_CASE("a time budget ends training, and its step count is kept", "[cli]") {
  const bench at;
  const auto found = done(at.folder, at.fit(at.model, 100'000'000, {"--time-budget", "0.1", "--json"})).json();
  CHECK(found.at("stopped_by").string() == "the time budget");
  CHECK(found.at("seconds").number() < 10);
  const auto info = done(at.folder, {"info", at.model, "--json"}).json();
  CHECK(info.at("fit").at("steps").integer() == found.at("steps").integer());
}

}  // namespace cli
