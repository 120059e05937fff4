// SPDX-License-Identifier: MIT
#include "publish/journal_file.hpp"

#include "base/error.hpp"
#include "base/io/paths.hpp"
#include "base/text.hpp"

#include <sys/random.h>

#include <algorithm>
#include <system_error>
#include <vector>

namespace kiln {

std::string new_journal_id(std::size_t bytes) {
    std::vector<std::byte> random(bytes);
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        throw SystemError("cannot get random bytes");
    }
    return to_hex(random);
}

bool is_journal_id(std::string_view text, std::size_t bytes) {
    return text.size() == 2 * bytes && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

void save_journal(const fs::path& file, const std::string& text) {
    constexpr unsigned kPrivate = 0600;
    write_file_durably(file, text, kPrivate);
}

void remove_journal(const fs::path& file) {
    std::error_code ignored;
    fs::remove(file, ignored);
    remove_tree(file.parent_path());
}

} // namespace kiln
