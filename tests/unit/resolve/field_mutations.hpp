// SPDX-License-Identifier: MIT
//
// Tables that say of every field of a format what hangs on it. The fields come from the format's
// own tables: one that is new and not named fails.
#pragma once

#include "base/io/file.hpp"
#include "base/io/paths.hpp"
#include "recipe/yaml/shape.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>

namespace kiln::test {

enum class Changes { request, keys, both, neither };

/// A change of one field, as a piece of the file and what takes its place. Without a piece nothing
/// is tried.
struct Mutation {
    std::string_view field;
    Changes changes;
    std::string_view from;
    std::string_view to = "";
    /// Of keys: the first stage that gets another; of `neither`: why.
    std::string_view note = "";
};

inline void add_leaves(const Shape& shape, const std::string& path, std::set<std::string>& out) {
    switch (shape.kind) {
    case ShapeKind::object:
        for (const Field& field : shape.fields) {
            add_leaves(
                *field.shape,
                fmt::format("{}{}{}", path, path.empty() ? "" : ".", field.name),
                out);
        }
        return;
    case ShapeKind::list:
        add_leaves(*shape.element, path + "[]", out);
        return;
    case ShapeKind::map:
        add_leaves(*shape.element, path + "{}", out);
        return;
    case ShapeKind::one_of:
        for (const Shape* variant : shape.variants) {
            add_leaves(*variant, path, out);
        }
        return;
    default:
        out.insert(path);
    }
}

inline std::set<std::string> leaves_of(const Shape& shape, const std::string& prefix = "") {
    std::set<std::string> out;
    add_leaves(shape, prefix, out);
    return out;
}

/// A row names a field, or with a final '*' all that begin so.
inline bool names(std::string_view row, std::string_view field) {
    return row.ends_with('*') ? field.starts_with(row.substr(0, row.size() - 1)) : row == field;
}

/// Every field has a row of `table`, and every row a field.
template <typename Rows>
void expect_complete(const std::set<std::string>& fields, const Rows& table) {
    for (const std::string& field : fields) {
        EXPECT_TRUE(std::any_of(
            table.begin(), table.end(), [&](const auto& row) { return names(row.field, field); }))
            << "the field '" << field << "' has no row: does it change what is locked?";
    }
    for (const auto& row : table) {
        EXPECT_TRUE(std::any_of(
            fields.begin(),
            fields.end(),
            [&](const auto& field) { return names(row.field, field); }))
            << "there is no field '" << row.field << "'";
    }
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class RequestOf : public testing::Test {
  protected:
    fs::path write(const fs::path& name, std::string_view text) const {
        const fs::path path = dir_.path() / name;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
        return path;
    }

    TempDir dir_{temporary_root(), "kiln-test"};
};

} // namespace kiln::test
