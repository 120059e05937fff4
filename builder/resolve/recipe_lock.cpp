// SPDX-License-Identifier: MIT
#include "resolve/recipe_lock.hpp"

#include "base/error.hpp"
#include "base/shell_word.hpp"
#include "resolve/request_of.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

/// A longer name of a variant ends in a digest.
constexpr std::size_t kLongestVariant = 120;

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._+~-").find(c) != std::string_view::npos;
}

std::string as_file_name(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out +=
            is_plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

/// "@release=trixie@size=2G"; empty without overrides.
std::string variant_of(const Recipe& recipe) {
    std::string out;
    for (const auto& [name, value] : recipe.overrides) {
        out += fmt::format("@{}={}", as_file_name(name), as_file_name(value));
    }
    if (out.size() > kLongestVariant) {
        const std::string digest = sha256(out).hex().substr(0, 16);
        out = out.substr(0, kLongestVariant - digest.size() - 1) + "~" + digest;
    }
    return out;
}

std::string recipe_words(const Recipe& recipe) {
    std::string out = recipe.project.word_of(DefinitionKind::recipe, recipe.files.front());
    for (const auto& [name, value] : recipe.overrides) {
        out += " --set " + shell_word(fmt::format("{}={}", name, value));
    }
    return out;
}

std::string renewal_of(const Recipe& recipe) {
    return fmt::format(
        "{} or 'kiln bake {} --refresh'", lock_command(recipe), recipe_words(recipe));
}

std::string describe(const Recipe& recipe) {
    return fmt::format("recipe '{}'", recipe_words(recipe));
}

} // namespace

fs::path lock_path(const fs::path& definition) {
    fs::path out = definition;
    return out.replace_extension(".lock");
}

fs::path lock_path(const Recipe& recipe) {
    const fs::path plain = lock_path(recipe.files.front());
    return plain.parent_path() / (plain.stem().string() + variant_of(recipe) + ".lock");
}

bool has_lock(const Recipe& recipe) {
    return fs::exists(lock_path(recipe)) || fs::exists(lock_path(recipe.files.front()));
}

std::string lock_command(const Recipe& recipe) {
    return fmt::format("'kiln lock {}'", recipe_words(recipe));
}

Lockfile
load_recipe_lock(const Recipe& recipe, const std::vector<RequestPart>& request, Console& console) {
    const fs::path own = lock_path(recipe);
    const fs::path plain = lock_path(recipe.files.front());
    const bool is_borrowed = !fs::exists(own) && own != plain && fs::exists(plain);
    const fs::path& path = is_borrowed ? plain : own;
    if (!fs::exists(path)) {
        throw Error(fmt::format("lock '{}' not found", path.string()), ExitCode::invalid_recipe)
            .with_hint(fmt::format(
                "run {} to create it, or 'kiln bake {} --refresh' to create it and bake",
                lock_command(recipe),
                recipe_words(recipe)));
    }
    Lockfile lock = load_lockfile(path.string());
    require_same_request(lock, request, path.string(), describe(recipe), renewal_of(recipe));
    if (is_borrowed) {
        console.info(
            fmt::format("using '{}': the variables do not change any locked input", path.string()));
    }
    return lock;
}

} // namespace kiln
