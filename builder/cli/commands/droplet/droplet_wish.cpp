// SPDX-License-Identifier: MIT
#include "cli/commands/droplet/droplet_wish.hpp"

#include "base/error.hpp"
#include "base/http/url.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "publish/droplet/user_data.hpp"

#include <fmt/format.h>

#include <istream>

namespace kiln {

namespace {

namespace option = droplet_option;

std::string required(const Arguments& arguments, const OptionSpec& spec) {
    auto value = arguments.value(spec.name);
    if (!value || value->empty()) {
        throw UsageError(fmt::format("{} is missing", spec.name))
            .with_hint(fmt::format("{} {}: {}", spec.name, spec.value, spec.doc));
    }
    return std::move(*value);
}

/// Files that the user names, one of which may be standard input.
class UserFiles {
  public:
    explicit UserFiles(std::istream& in) : in_(in) {}

    std::string read(const std::string& file) {
        if (file != "-") {
            return read_text_file(file, kLargest);
        }
        if (std::exchange(has_read_, true)) {
            throw UsageError("standard input ('-') can be read for one option only");
        }
        std::string out(kLargest + 1, '\0');
        in_.read(out.data(), static_cast<std::streamsize>(out.size()));
        out.resize(static_cast<std::size_t>(in_.gcount()));
        if (out.size() > kLargest) {
            throw UsageError(
                fmt::format("standard input is larger than {}", format_size(kLargest)));
        }
        return out;
    }

    [[nodiscard]] static std::string name_of(const std::string& file) {
        return file == "-" ? "standard input" : file;
    }

  private:
    static constexpr std::size_t kLargest = std::size_t{1} << 20U;
    std::istream& in_;
    bool has_read_ = false;
};

std::string user_data_of(const Arguments& arguments, Context& context) {
    UserFiles files(context.io.in);
    const auto answers = arguments.value(option::kAnswers.name);
    const std::vector<std::string>& single = arguments.values(option::kAnswer.name);
    if (const auto own = arguments.value(option::kUserData.name)) {
        if (answers || !single.empty()) {
            throw UsageError("--user-data and answers are mutually exclusive")
                .with_hint("write the map 'pause:' into the user-data, or use --answers alone");
        }
        return files.read(*own);
    }
    if (!answers && single.empty()) {
        return {};
    }
    std::vector<AnswerFile> more;
    for (const std::string& text : single) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
            // What it is may be a secret that somebody put there by mistake.
            throw UsageError("--answer: expected KEY=FILE")
                .with_hint("the value of the answer is read from the file");
        }
        const std::string file = text.substr(equals + 1);
        more.push_back({text.substr(0, equals), UserFiles::name_of(file), files.read(file)});
    }
    return answers_as_user_data(
        answers ? UserFiles::name_of(*answers) : "", answers ? files.read(*answers) : "", more);
}

bool has_answers(const Arguments& arguments) {
    return arguments.value(option::kAnswers.name) ||
           !arguments.values(option::kAnswer.name).empty();
}

std::string wait_for_of(const Arguments& arguments) {
    const auto text = arguments.value(option::kWaitFor.name);
    if (arguments.flag(option::kPrivate.name)) {
        if (text) {
            throw UsageError("--private and --wait-for are mutually exclusive: "
                             "the droplet cannot be reached from here");
        }
        return {};
    }
    if (!text) {
        return has_answers(arguments) ? "/status" : "";
    }
    const auto url = Url::parse(*text);
    const bool is_web =
        url && !url->has_user() && (url->scheme() == "https" || url->scheme() == "http");
    if (!is_web && !text->starts_with('/')) {
        throw UsageError(
            fmt::format("'--wait-for {}': expected a URL or a path", redact_url(*text)));
    }
    return *text;
}

} // namespace

DropletWish droplet_wish(const Arguments& arguments, Context& context) {
    DropletWish wish;
    wish.name = arguments.positional(kDropletNamePositional.name);
    wish.image = required(arguments, option::kImage);
    wish.region = required(arguments, option::kRegion);
    wish.size = required(arguments, option::kSize);
    wish.ssh_keys = arguments.values(option::kSshKey.name);
    wish.tags = arguments.values(option::kTag.name);
    wish.project = arguments.value_or(option::kProject.name, "");
    wish.hosts = arguments.values(option::kDomain.name);
    for (const std::string& volume : arguments.values(option::kVolume.name)) {
        wish.volumes.push_back(parse_wanted_volume(volume));
    }
    wish.is_private = arguments.flag(option::kPrivate.name);
    wish.user_data = user_data_of(arguments, context);
    return wish;
}

CreateOptions create_options(const Arguments& arguments) {
    constexpr std::uint64_t kMostPort = 65'535;
    CreateOptions out;
    out.wait = !arguments.flag(option::kNoWait.name);
    if (const auto timeout = arguments.value(option::kTimeout.name)) {
        out.timeout = parse_timeout(*timeout);
    }
    if (const auto port = arguments.number(option::kSshPort.name, 1, kMostPort)) {
        out.ssh_port = static_cast<std::uint16_t>(*port);
    }
    out.wait_for = wait_for_of(arguments);
    return out;
}

} // namespace kiln
