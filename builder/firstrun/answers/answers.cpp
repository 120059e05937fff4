// SPDX-License-Identifier: MIT
#include "firstrun/answers/answers.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answer_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::firstrun {

void Faults::add(std::string_view where, std::string_view message, std::string_view hint) {
    std::string line = fmt::format("{}: {}", where, message);
    if (!hint.empty()) {
        line += fmt::format(" ({})", hint);
    }
    // The same answer may be read twice, before and after the data volume is there.
    if (std::find(lines_.begin(), lines_.end(), line) == lines_.end()) {
        lines_.push_back(std::move(line));
    }
}

void Faults::throw_if_any() const {
    if (lines_.empty()) {
        return;
    }
    throw Error(
        lines_.size() == 1 ? "an answer is not valid"
                           : fmt::format("{} answers are not valid", lines_.size()),
        ExitCode::invalid_recipe)
        .with_details(lines_)
        .with_hint("'first-run --help' lists the answers; docs/first-run.md explains them");
}

Answers Answers::choose(const std::vector<AnswerSource>& sources, Mode mode, Faults& faults) {
    Answers out;
    for (const KeySpec& spec : answer_table()) {
        out.values_.at(static_cast<std::size_t>(spec.key)).value = spec.default_value;
    }
    out.values_.at(static_cast<std::size_t>(Key::hostname)).value =
        mode == Mode::container ? "localhost" : "pause.localdomain";
    // From the weakest to the strongest, so that the last one written stays.
    for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
        for (const GivenAnswer& given : source->answers) {
            const KeySpec* spec = find_spec(given.name);
            if (spec == nullptr) {
                faults.add(
                    given.where,
                    fmt::format("unknown key '{}'", given.name),
                    did_you_mean(given.name, key_names()));
                continue;
            }
            CheckedValue checked = check_value(*spec, given.value);
            if (!checked.fault.empty()) {
                faults.add(
                    given.where,
                    spec->secret == Secret::yes || given.value.size() > 100
                        ? fmt::format("{} {}", given.name, checked.fault)
                        : fmt::format("{} '{}' {}", given.name, given.value, checked.fault));
                continue;
            }
            out.values_.at(static_cast<std::size_t>(spec->key)) = {
                std::move(checked.value), given.where, !source->is_own};
        }
    }
    return out;
}

std::uint64_t Answers::number(Key key) const {
    return parse_unsigned(text(key)).value_or(0);
}

std::vector<std::string> Answers::list(Key key) const {
    return split_lines(text(key));
}

std::string Answers::at_https_port(const std::string& host) const {
    return text(Key::https_port) == "443" ? host
                                          : fmt::format("{}:{}", host, text(Key::https_port));
}

std::vector<std::string> Answers::site_names() const {
    std::vector<std::string> names{text(Key::hostname)};
    for (const std::string& name : list(Key::certificate_names)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    }
    return names;
}

namespace {

void require(
    const Answers& answers, Faults& faults, Key because, std::initializer_list<Key> needed) {
    for (const Key key : needed) {
        if (!answers.has(key)) {
            faults.add(
                answers.source(because),
                fmt::format(
                    "{} '{}' needs the answer '{}'",
                    spec_of(because).name,
                    answers.text(because),
                    spec_of(key).name));
        }
    }
}

/// Both or none.
void require_pair(const Answers& answers, Faults& faults, Key one, Key other) {
    if (answers.has(one) != answers.has(other)) {
        const Key given = answers.has(one) ? one : other;
        const Key missing = answers.has(one) ? other : one;
        faults.add(
            answers.source(given),
            fmt::format("'{}' needs '{}'", spec_of(given).name, spec_of(missing).name));
    }
}

} // namespace

void check_together(const Answers& answers, Mode mode, Faults& faults) {
    if (answers.text(Key::mail) != "maildir") {
        require(
            answers,
            faults,
            Key::mail,
            {Key::mail_host,
             Key::mail_admin,
             Key::mail_upload,
             Key::mail_testers,
             Key::mail_reply,
             Key::mail_p5p,
             Key::mail_cron});
    }
    require_pair(answers, faults, Key::mail_user, Key::mail_password);
    require_pair(answers, faults, Key::recaptcha_site_key, Key::recaptcha_secret_key);
    require_pair(answers, faults, Key::certificate_file, Key::certificate_key);
    if (answers.text(Key::certificate).starts_with("acme")) {
        require(answers, faults, Key::certificate, {Key::acme_email});
    }
    if (answers.has(Key::deploy_key) && !answers.has(Key::git_remote)) {
        faults.add(answers.source(Key::deploy_key), "'deploy_key' needs 'git_remote'");
    }
    for (const Key key : {Key::volume, Key::database_volume}) {
        if (mode == Mode::container && answers.is_given(key)) {
            faults.add(
                answers.source(key),
                fmt::format("'{}' is for VMs only", spec_of(key).name),
                "a container keeps its data on the volume mounted at /data");
        }
    }
    if (answers.text(Key::database_volume) == "root") {
        faults.add(answers.source(Key::database_volume), "'database_volume' cannot be root");
    }
}

namespace {

/// Double-quoted YAML; values hold no control characters but newlines.
std::string yaml_quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + "\"";
}

} // namespace

std::string render_remembered(const Answers& answers) {
    std::string out = "# Written by first-run: the answers of the last run, for the next image.\n"
                      "pause:\n";
    bool any = false;
    for (const KeySpec& spec : answer_table()) {
        if (spec.remembered == Remembered::yes && answers.is_given(spec.key)) {
            out += fmt::format("  {}: {}\n", spec.name, yaml_quote(answers.text(spec.key)));
            any = true;
        }
    }
    return any ? out : out + "  {}\n";
}

} // namespace kiln::firstrun
