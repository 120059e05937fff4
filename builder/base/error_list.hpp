// SPDX-License-Identifier: MIT
//
// Errors of things that are tried independently of each other, to be reported together.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

/// Things are distinguished by their place in a list of the caller's. For use from several threads.
class ErrorList {
  public:
    void add(std::size_t place, Error error) {
        const std::lock_guard lock(mutex_);
        errors_.insert_or_assign(place, std::move(error));
    }

    /// Calls `body`; an Error that leaves it is added.
    template <typename Body> void collect(std::size_t place, Body&& body) {
        try {
            std::forward<Body>(body)();
        } catch (const Error& error) {
            add(place, error);
        }
    }

    [[nodiscard]] std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return errors_.size();
    }

    [[nodiscard]] bool contains(std::size_t place) const {
        const std::lock_guard lock(mutex_);
        return errors_.contains(place);
    }

    /// By place. Not while others add.
    [[nodiscard]] const std::map<std::size_t, Error>& errors() const noexcept { return errors_; }

    /// "NAME: MESSAGE" for each, its details below and indented, in the order of the places.
    /// `name_of(place)` may be empty: then the message alone.
    template <typename NameOf> [[nodiscard]] std::vector<std::string> lines(NameOf name_of) const {
        std::vector<std::string> out;
        for (const auto& [place, error] : errors_) {
            const std::string name = name_of(place);
            out.push_back(name.empty() ? error.message() : name + ": " + error.message());
            for (const std::string& detail : error.details()) {
                out.push_back("    " + detail);
            }
        }
        return out;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::size_t, Error> errors_;
};

} // namespace kiln
