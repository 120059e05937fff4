// SPDX-License-Identifier: MIT
#include "publish/droplet/user_data.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answers.hpp"
#include "firstrun/answers/answers_yaml.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

void require_utf8(const std::string& text, const std::string& file) {
    if (!is_utf8(text)) {
        throw Error(fmt::format("'{}' is not UTF-8 text", file), ExitCode::invalid_recipe);
    }
}

} // namespace

std::string answers_as_user_data(
    const std::string& file, const std::string& text, const std::vector<AnswerFile>& more) {
    require_utf8(text, file);
    firstrun::Faults faults;
    firstrun::AnswerSource single{.name = "files", .answers = {}};
    for (const AnswerFile& each : more) {
        require_utf8(each.text, each.file);
        single.answers.push_back({each.name, each.text, each.file});
    }
    const firstrun::AnswerSource given{
        .name = file,
        .answers = firstrun::parse_answers(file, text, firstrun::OtherKeys::refused, faults)};
    const auto answers =
        firstrun::Answers::choose({single, given}, firstrun::Mode::machine, faults);
    if (faults.empty()) {
        firstrun::check_together(answers, firstrun::Mode::machine, faults);
    }
    faults.throw_if_any();
    std::string out;
    for (const firstrun::KeySpec& spec : firstrun::answer_table()) {
        if (answers.is_given(spec.key)) {
            // A JSON string is a double-quoted YAML one.
            out +=
                fmt::format("  {}: {}\n", spec.name, nlohmann::json(answers.text(spec.key)).dump());
        }
    }
    return "#cloud-config\npause:" + (out.empty() ? " {}\n" : "\n" + out);
}

} // namespace kiln
