// SPDX-License-Identifier: MIT
//
// The answers of this run: a value for every key, and where it came from. Immutable after reading.
#pragma once

#include "firstrun/answers/answer_table.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

/// Where the program runs.
enum class Mode { machine, container };

/// One value as a source gave it, not yet checked.
struct GivenAnswer {
    std::string name;
    std::string value;
    std::string where; ///< "/etc/pause/first-run.yaml:3:5", "environment PAUSE_MAIL", ...
};

/// A source: a place that may give answers.
struct AnswerSource {
    std::string name;
    std::vector<GivenAnswer> answers;
    bool is_own = false; ///< baked or default: not worth remembering on the volume
};

/// What is wrong with the answers; all faults are collected before the run ends.
class Faults {
  public:
    void add(std::string_view where, std::string_view message, std::string_view hint = {});

    [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

    /// Throws Error with exit code 3 and one line a fault.
    void throw_if_any() const;

  private:
    std::vector<std::string> lines_;
};

class Answers {
  public:
    /// Takes from each key's first source that has it; `sources` are ordered, the strongest first.
    /// Every given value is checked, a weaker one too.
    [[nodiscard]] static Answers
    choose(const std::vector<AnswerSource>& sources, Mode mode, Faults& faults);

    [[nodiscard]] const std::string& text(Key key) const { return at(key).value; }

    [[nodiscard]] bool has(Key key) const { return !at(key).value.empty(); }

    [[nodiscard]] std::uint64_t number(Key key) const;
    [[nodiscard]] std::vector<std::string> list(Key key) const;

    /// "default" or the place of the answer.
    [[nodiscard]] const std::string& source(Key key) const { return at(key).source; }

    /// Somebody gave it: it is neither the default nor baked into the image.
    [[nodiscard]] bool is_given(Key key) const { return at(key).is_given; }

    /// Named by anything but the program's default.
    [[nodiscard]] bool is_default(Key key) const { return at(key).source == "default"; }

    /// `host` as is in an address of the site: with the public port of https, unless that is
    /// 443.
    [[nodiscard]] std::string at_https_port(const std::string& host) const;

    /// The names for the certificate and the web server, the host name first.
    [[nodiscard]] std::vector<std::string> site_names() const;

  private:
    struct Value {
        std::string value;
        std::string source = "default";
        bool is_given = false;
    };

    [[nodiscard]] const Value& at(Key key) const {
        return values_.at(static_cast<std::size_t>(key));
    }

    std::array<Value, kKeyCount> values_;
};

/// Rules between answers.
void check_together(const Answers& answers, Mode mode, Faults& faults);

/// The file of answers that later images read from the data volume.
[[nodiscard]] std::string render_remembered(const Answers& answers);

} // namespace kiln::firstrun
