// SPDX-License-Identifier: MIT
#include "perl/modules.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace kiln {

namespace {

constexpr std::string_view kSpace = " \t";

/// Takes words off the front of a line.
class LineScanner {
  public:
    explicit LineScanner(std::string_view line) : rest_(line) {}

    bool skip(std::string_view word) {
        skip_space();
        if (!rest_.starts_with(word)) {
            return false;
        }
        rest_.remove_prefix(word.size());
        return true;
    }

    /// A word that ends where another kind of character follows.
    bool skip_word(std::string_view word) {
        const std::string_view before = rest_;
        if (skip(word) && (rest_.empty() || !is_name(rest_.front()))) {
            return true;
        }
        rest_ = before;
        return false;
    }

    std::string_view name() {
        skip_space();
        return take([](char c) { return is_name(c) || c == ':'; });
    }

    /// An optional v, digits, dots and underscores.
    std::string_view version() {
        skip_space();
        const std::size_t start = rest_.starts_with('v') ? 1 : 0;
        if (rest_.size() <= start || rest_[start] < '0' || rest_[start] > '9') {
            return {};
        }
        return take(
            [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '_' || c == 'v'; });
    }

    [[nodiscard]] bool at_end() {
        skip_space();
        return rest_.empty();
    }

    [[nodiscard]] char peek() {
        skip_space();
        return rest_.empty() ? '\0' : rest_.front();
    }

  private:
    static bool is_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    }

    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    }

    template <typename Predicate> std::string_view take(Predicate&& wanted) {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), wanted);
        const std::string_view out = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(out.size());
        return out;
    }

    std::string_view rest_;
};

struct PackageStatement {
    std::string name;
    std::string version;
};

/// "package NAME [VERSION];" or "package NAME [VERSION] {", also behind an opening brace.
std::optional<PackageStatement> package_statement(std::string_view line) {
    LineScanner scanner(line);
    scanner.skip("{");
    if (!scanner.skip_word("package")) {
        return std::nullopt;
    }
    PackageStatement out;
    out.name = std::string(scanner.name());
    out.version = std::string(scanner.version());
    const char next = scanner.peek();
    if (out.name.empty() || (next != ';' && next != '{' && next != '\0')) {
        return std::nullopt;
    }
    return out;
}

struct VersionStatement {
    std::string package; ///< empty: the current one
    std::string version;
};

/// What follows a '$': "VERSION = ..." whose value is a literal; anything that has to be
/// computed is left alone.
std::optional<VersionStatement> version_assignment(std::string_view text) {
    LineScanner scanner(text);
    VersionStatement out;
    std::string_view name = scanner.name();
    if (name.ends_with("::VERSION")) {
        out.package = std::string(name.substr(0, name.size() - 9));
    } else if (name != "VERSION") {
        return std::nullopt;
    }
    if (!scanner.skip("=") || scanner.peek() == '=' || scanner.peek() == '~') {
        return std::nullopt;
    }
    if (scanner.skip_word("version")) { // version->declare('v1.2'), version->new("1.2")
        scanner.skip("->");
        static_cast<void>(scanner.name());
    } else {
        scanner.skip_word("qv");
    }
    scanner.skip("(");
    if (!scanner.skip("'")) {
        scanner.skip("\"");
    }
    out.version = std::string(scanner.version());
    const char next = scanner.peek();
    constexpr std::string_view kEnds = ";'\")";
    if (out.version.empty() || (next != '\0' && kEnds.find(next) == std::string_view::npos)) {
        return std::nullopt;
    }
    return out;
}

std::optional<VersionStatement> version_statement(std::string_view line) {
    if (line.find("VERSION") == std::string_view::npos) {
        return std::nullopt;
    }
    for (std::size_t at = line.find('$'); at != std::string_view::npos;
         at = line.find('$', at + 1)) {
        if (auto found = version_assignment(line.substr(at + 1))) {
            return found;
        }
    }
    return std::nullopt;
}

/// "lib/Foo/Bar.pm" and "Bar_pm.PL" -> "Bar".
std::string_view module_base(std::string_view path) {
    std::string_view base = path.substr(path.rfind('/') + 1);
    for (const std::string_view end : {".pm.PL", "_pm.PL", ".pm"}) {
        if (base.ends_with(end)) {
            return base.substr(0, base.size() - end.size());
        }
    }
    return {};
}

bool starts_with_any(std::string_view path, std::span<const std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
        return path.starts_with(prefix);
    });
}

} // namespace

PerlModules find_modules(std::string_view path, std::string_view text) {
    const std::string_view base = module_base(path);
    // A generator's module is behind its __END__.
    const bool is_generator = path.ends_with(".PL");
    PerlModules found;
    std::string current;
    bool in_pod = false;
    for (const std::string& line : split_lines(text)) {
        if (line.starts_with('=') && line.size() > 1 && std::isalpha(line[1]) != 0) {
            in_pod = !line.starts_with("=cut");
            continue;
        }
        if (in_pod) {
            continue;
        }
        if (!is_generator && (line.starts_with("__END__") || line.starts_with("__DATA__"))) {
            break;
        }
        if (line.find("package") != std::string::npos) {
            if (auto statement = package_statement(line)) {
                current = std::move(statement->name);
                std::string& version = found[current];
                version = version.empty() ? std::move(statement->version) : version;
                continue;
            }
        }
        if (auto statement = version_statement(line)) {
            const std::string& package = statement->package.empty() ? current : statement->package;
            const auto place = found.find(package);
            if (place != found.end() && place->second.empty()) {
                place->second = std::move(statement->version);
            }
        }
    }
    std::erase_if(found, [&](const auto& module) {
        const std::string_view name = module.first;
        const std::size_t colon = name.rfind(':');
        return name.substr(colon == std::string_view::npos ? 0 : colon + 1) != base;
    });
    return found;
}

bool is_module_file(std::string_view path) {
    constexpr std::array<std::string_view, 12> kElsewhere{
        "t/",
        "xt/",
        "inc/",
        "eg/",
        "ex/",
        "example/",
        "examples/",
        "samples/",
        "local/",
        "author/",
        "benchmark/",
        "share/"};
    return !module_base(path).empty() && !starts_with_any(path, kElsewhere);
}

bool is_core_module_file(std::string_view path) {
    constexpr std::array<std::string_view, 4> kPlaces{"lib/", "cpan/", "dist/", "ext/"};
    return !module_base(path).empty() && starts_with_any(path, kPlaces) &&
           path.find("/t/") == std::string_view::npos;
}

} // namespace kiln
