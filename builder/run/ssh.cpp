// SPDX-License-Identifier: MIT
#include "run/ssh.hpp"

#include "base/error.hpp"
#include "base/shell_word.hpp"
#include "base/text.hpp"
#include "run/instance.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

/// What is between one quote and the next is one word again in the guest's shell. The x keeps a
/// newline at a word's end.
constexpr std::string_view kQuoteWords = R"(text=
for word do
    word=$(printf '%sx' "$word" | sed "s/'/'\\\\''/g")
    text="$text '${word%x}'"
done
)";

} // namespace

std::string_view quote_words_text() {
    return kQuoteWords;
}

std::string ssh_config_text(const fs::path& folder, std::uint16_t host_port) {
    return fmt::format(
        "Host instance\n"
        "    HostName 127.0.0.1\n"
        "    Port {}\n"
        "    User root\n"
        "    IdentityFile \"{}\"\n"
        "    IdentitiesOnly yes\n"
        "    IdentityAgent none\n"
        // The machine's host key is minutes old; its port is on this host.
        "    StrictHostKeyChecking no\n"
        "    UserKnownHostsFile /dev/null\n"
        "    GlobalKnownHostsFile /dev/null\n"
        "    LogLevel ERROR\n"
        "    BatchMode yes\n"
        "    ConnectTimeout 15\n"
        "    ServerAliveInterval 15\n"
        "    ServerAliveCountMax 8\n"
        "    ControlPath \"{}\"\n",
        host_port,
        (folder / "key").string(),
        (folder / "ssh.socket").string());
}

SshAccess::SshAccess(fs::path folder, std::uint16_t host_port, ProcessRunner& runner)
    : folder_(std::move(folder)), runner_(runner) {
    if (find_program("ssh-keygen").empty()) {
        throw Error("running programs inside a VM requires ssh")
            .with_hint("install openssh-client, or write 'inside: serial' in the suite");
    }
    const fs::path key = folder_ / "key";
    static_cast<void>(runner_.run_checked(
        {"ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", "kiln", "-f", key.string()}}));
    public_key_ = trim(read_text_file(key.string() + ".pub"));
    kiln::write_file(config(), ssh_config_text(folder_, host_port), 0600);
}

bool SshAccess::open() {
    if (master_ && !master_->exit_status()) {
        return true;
    }
    Command probe{"ssh", {"-F", config().string(), "-o", "ControlPath=none", "instance", "true"}};
    probe.timeout = std::chrono::seconds(60);
    if (const ProcessResult result = runner_.run(probe); !result.ok()) {
        const std::vector<std::string> said = last_lines(result.output, 1);
        trouble_ = said.empty() ? std::string() : said.front();
        return false;
    }
    trouble_.clear();
    std::error_code ignored;
    fs::remove(folder_ / "ssh.socket", ignored);
    const Command master{
        "ssh", {"-F", config().string(), "-o", "ControlMaster=yes", "-N", "instance"}};
    master_ = std::make_unique<BackgroundProcess>(master, folder_ / "ssh.log");
    return true;
}

std::string SshAccess::inside_script() const {
    return fmt::format(
        "{}exec ssh -F {} instance \"$text\"", kQuoteWords, shell_quote(config().string()));
}

} // namespace kiln
