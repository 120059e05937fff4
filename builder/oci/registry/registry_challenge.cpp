// SPDX-License-Identifier: MIT
#include "oci/registry/registry_challenge.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace kiln {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return out;
}

/// tchar of RFC 9110, 5.6.2.
bool is_token_character(char c) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kOthers.find(c) != std::string_view::npos;
}

/// Reads the pieces of a header one after the other.
class HeaderReader {
  public:
    explicit HeaderReader(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    void skip_blanks() { skip(" \t"); }

    /// Between the items of a list, of which some may be empty.
    void skip_commas() { skip(" \t,"); }

    [[nodiscard]] bool take(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] std::string_view take_token() {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        const std::string_view out = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(out.size());
        return out;
    }

    /// A quoted text or a token; nothing when the closing quote is missing.
    [[nodiscard]] std::optional<std::string> take_value() {
        if (!take('"')) {
            return std::string(take_token());
        }
        std::string out;
        while (!rest_.empty() && rest_.front() != '"') {
            if (rest_.front() == '\\' && rest_.size() > 1) {
                rest_.remove_prefix(1);
            }
            out += rest_.front();
            rest_.remove_prefix(1);
        }
        return take('"') ? std::optional(std::move(out)) : std::nullopt;
    }

    /// token68 of RFC 9110 after a scheme; it has no name and nobody here needs it.
    void skip_token68() {
        skip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");
    }

  private:
    void skip(std::string_view characters) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
    }

    std::string_view rest_;
};

} // namespace

std::string AuthChallenge::parameter(const std::string& name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
}

std::vector<AuthChallenge> parse_challenges(std::string_view header) {
    std::vector<AuthChallenge> out;
    HeaderReader reader(header);
    for (reader.skip_commas(); !reader.at_end(); reader.skip_commas()) {
        const std::string word = lower(reader.take_token());
        if (word.empty()) {
            break;
        }
        reader.skip_blanks();
        if (!reader.take('=')) {
            // A word without a value begins the next challenge.
            out.push_back({word, {}});
            continue;
        }
        reader.skip_blanks();
        auto value = reader.take_value();
        if (out.empty() || !value) {
            break;
        }
        out.back().parameters.insert_or_assign(word, std::move(*value));
        reader.skip_token68(); // the "=" at the end of one: "Negotiate YWJj=="
    }
    return out;
}

std::optional<AuthChallenge> find_challenge(const HttpResponse& response, std::string_view scheme) {
    constexpr std::string_view kName = "www-authenticate";
    for (const HttpHeader& header : response.headers) {
        if (lower(header.name) != kName) {
            continue;
        }
        for (AuthChallenge& challenge : parse_challenges(header.value)) {
            if (challenge.scheme == scheme) {
                return std::move(challenge);
            }
        }
    }
    return std::nullopt;
}

void RegistryScopes::add(std::string_view list) {
    for (const std::string& scope : split(list, ' ')) {
        // A name may hold a colon of its own: HOST:PORT/NAME.
        const std::size_t colon = scope.rfind(':');
        if (colon == std::string::npos || colon == 0 || scope.find(':') == colon) {
            continue;
        }
        std::set<std::string>& actions = actions_[scope.substr(0, colon)];
        for (const std::string& action : split(scope.substr(colon + 1), ',')) {
            if (!action.empty()) {
                actions.insert(action);
            }
        }
    }
}

void RegistryScopes::add(const RegistryScopes& other) {
    for (const auto& [resource, actions] : other.actions_) {
        actions_[resource].insert(actions.begin(), actions.end());
    }
}

std::vector<std::string> RegistryScopes::list() const {
    std::vector<std::string> out;
    for (const auto& [resource, actions] : actions_) {
        const std::vector<std::string> words(actions.begin(), actions.end());
        out.push_back(resource + ":" + join(words, ","));
    }
    return out;
}

} // namespace kiln
