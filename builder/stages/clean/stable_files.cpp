// SPDX-License-Identifier: MIT
#include "stages/clean/stable_files.hpp"

#include "stages/clean/berkeley_db.hpp"
#include "stages/clean/java_keystore.hpp"
#include "stages/clean/kpathsea.hpp"
#include "stages/tree_below.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fnmatch.h>

#include <array>
#include <optional>
#include <regex>
#include <string>

namespace kiln {

namespace {

using Rewrite = std::optional<std::string> (*)(
    const std::string& text, const std::string& path, std::int64_t epoch);

std::optional<std::string>
rewrite_database(const std::string& text, const std::string& path, std::int64_t epoch) {
    return berkeley_db_of(text, path, epoch);
}

std::optional<std::string>
rewrite_keystore(const std::string& text, const std::string&, std::int64_t epoch) {
    return java_keystore_at(text, "changeit", epoch); // the password that Debian documents
}

/// Comments of what sendmail's programs made: "##### on: DATE" and "##### built by USER on DATE".
std::optional<std::string>
rewrite_sendmail_text(const std::string& text, const std::string&, std::int64_t epoch) {
    static const std::regex kDate(
        R"((##### (?:built by \S+ on|on:) )(?:[A-Z][a-z]{2} ){2}[ \d]\d \d\d:\d\d:\d\d (?:UTC )?\d{4})");
    return std::regex_replace(
        text, kDate, fmt::format("$1{:%a %b %e %H:%M:%S %Y}", fmt::gmtime(epoch)));
}

/// First line of what Octave saves as text: "# Created by Octave VERSION, DATE <USER@HOST>", the
/// date as its "%a %b %d %H:%M:%S %Y %Z".
std::optional<std::string>
rewrite_octave_text(const std::string& text, const std::string&, std::int64_t epoch) {
    static const std::regex kDate(R"(^(# Created by Octave [^\s,]+, )[^<\n]*( <[^>\n]*>\n))");
    return std::regex_replace(
        text,
        kDate,
        fmt::format("$1{:%a %b %d %H:%M:%S %Y UTC}$2", fmt::gmtime(epoch)),
        std::regex_constants::format_first_only);
}

std::optional<std::string> rewrite_ls_r(const std::string& text, const std::string&, std::int64_t) {
    return sorted_ls_r(text);
}

struct StableFile {
    const char* directory;
    const char* name; ///< fnmatch(3) pattern
    Rewrite rewrite;
};

constexpr std::array kFiles{
    StableFile{"etc", "*.db", rewrite_database},      // postfix, sendmail: aliases.db
    StableFile{"etc/mail", "*.db", rewrite_database}, // sendmail
    StableFile{"etc", "sasldb2", rewrite_database},   // sasl2-bin, and its backup
    StableFile{"var/backups", "sasldb2.bak", rewrite_database},
    StableFile{"etc/mail", "*", rewrite_sendmail_text},
    StableFile{"etc/mail/sasl", "*.m4", rewrite_sendmail_text},
    StableFile{"etc/mail/tls", "*.m4", rewrite_sendmail_text},
    StableFile{"etc/cron.d", "sendmail", rewrite_sendmail_text},
    StableFile{"etc/postfix", "*.db", rewrite_database}, // postmap
    StableFile{"etc/ssl/certs/java", "cacerts", rewrite_keystore},
    StableFile{"usr/share/octave", "octave_packages", rewrite_octave_text}, // octave's trigger
    StableFile{"var/lib/texmf", "ls-R*", rewrite_ls_r},
};

} // namespace

void stabilize_files(const StageContext& context) {
    for (const StableFile& file : kFiles) {
        for (const std::string& name : context.tree.names(file.directory)) {
            const std::string path = fmt::format("{}/{}", file.directory, name);
            const auto info = context.tree.look(path);
            const bool is_ours = ::fnmatch(file.name, name.c_str(), 0) == 0 && info &&
                                 S_ISREG(info->st_mode) &&
                                 info->st_size <= std::int64_t{TreeRoot::kLargestText} &&
                                 !was_in_tree_below(context, path, *info);
            if (!is_ours) {
                continue;
            }
            const std::string text = context.tree.read_text(path);
            const auto stable = file.rewrite(text, path, context.settings.epoch);
            if (stable && *stable != text) {
                context.tree.write_file(
                    path, *stable, {info->st_uid, info->st_gid, info->st_mode & 07777U});
            }
        }
    }
}

} // namespace kiln
