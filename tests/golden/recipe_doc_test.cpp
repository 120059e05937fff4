// SPDX-License-Identifier: MIT
//
// docs/recipe.md, docs/perl-bundle.md, docs/programs.md and docs/accept.md say what the program
// does: their tables are made from the shapes, and their examples load. The first line of every
// example is a comment: the example's file name, or "stage", "piece of a recipe" or "piece of a
// suite".
#include "base/text.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "recipe/recipe.hpp"
#include "run/suite.hpp"
#include "stages/clean/cleanup_rules.hpp"
#include "stages/stage.hpp"
#include "support/golden.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace kiln {
namespace {

const fs::path kDocument = fs::path(KILN_SOURCE_DIR) / "docs/recipe.md";
const fs::path kBundleDocument = fs::path(KILN_SOURCE_DIR) / "docs/perl-bundle.md";
const fs::path kProgramDocument = fs::path(KILN_SOURCE_DIR) / "docs/programs.md";

const fs::path kSuiteDocument = fs::path(KILN_SOURCE_DIR) / "docs/accept.md";

const fs::path kProjectDocument = fs::path(KILN_SOURCE_DIR) / "docs/projects.md";
const fs::path kLeftoversDocument = fs::path(KILN_SOURCE_DIR) / "docs/reproducibility.md";

/// The shape below `shape` that one word of a "keys:" path names.
const Shape* descend(const Shape* shape, std::string_view word) {
    while (shape->kind == ShapeKind::list || shape->kind == ShapeKind::map) {
        shape = shape->element;
    }
    if (shape->kind == ShapeKind::one_of) {
        for (const Shape* variant : shape->variants) {
            if (!variant->fields.empty() && variant->fields[0].name == word) {
                return variant;
            }
        }
    }
    for (const Field& field : shape->fields) {
        if (field.name == word) {
            return field.shape;
        }
    }
    throw Error(fmt::format("no '{}' in there", word));
}

const Shape* root_shape(const std::vector<std::string>& path) {
    if (path[0] == "recipe") {
        return &recipe_shape();
    }
    if (path[0] == "part") {
        return &part_shape();
    }
    if (path[0] == "bundle") {
        return &bundle_shape();
    }
    if (path[0] == "program") {
        return &program_shape();
    }
    if (path[0] == "suite") {
        return &suite_shape();
    }
    if (path[0] == "project") {
        return &project_shape();
    }
    if (path[0] == "image") {
        return path.at(1) == "disk" ? &disk_image_shape() : &oci_image_shape();
    }
    for (const StageShape& stage : stage_shapes()) {
        if (path[0] == "stage" && path.at(1) == stage.kind) {
            return stage.options;
        }
    }
    throw Error(fmt::format("unknown keys: {}", join(path, "/")));
}

std::string table_for(const std::string& marker) {
    const std::vector<std::string> path = split(marker, '/');
    const Shape* shape = root_shape(path);
    const std::size_t consumed = path[0] == "image" || path[0] == "stage" ? 2 : 1;
    for (std::size_t i = consumed; i < path.size(); ++i) {
        shape = descend(shape, path[i]);
    }
    while (shape->kind == ShapeKind::list || shape->kind == ShapeKind::map) {
        shape = shape->element;
    }
    return markdown_table(*shape);
}

std::string leftovers_table() {
    std::string out = "| path | what happens | why |\n|---|---|---|\n";
    for (const CleanupRule& leftover : cleanup_rules()) {
        out += fmt::format(
            "| `/{}` | {} | {} |\n",
            leftover.pattern,
            leftover.action == CleanupAction::empty ? "emptied" : "removed",
            leftover.reason);
    }
    return out;
}

/// The document with the tables as they have to be.
std::string with_tables(const std::string& document) {
    constexpr std::string_view kStart = "<!-- keys: ";
    std::string out;
    bool inside = false;
    for (const std::string& line : split_lines(document)) {
        if (line == "<!-- end -->") {
            inside = false;
        }
        if (!inside) {
            out += line + '\n';
        }
        if (line == "<!-- leftovers -->") {
            out += leftovers_table();
            inside = true;
        }
        if (line.starts_with(kStart)) {
            out += table_for(line.substr(kStart.size(), line.size() - kStart.size() - 4));
            inside = true;
        }
    }
    return out;
}

struct YamlExample {
    std::string title; ///< its first line, without "# "
    std::string text;
};

std::vector<YamlExample> examples(const fs::path& document) {
    std::vector<YamlExample> out;
    bool inside = false;
    for (const std::string& line : split_lines(read_text_file(document))) {
        if (line.starts_with("```")) {
            inside = line == "```yaml";
            if (inside) {
                out.emplace_back();
            }
        } else if (inside) {
            if (out.back().text.empty()) {
                out.back().title = line.substr(std::min<std::size_t>(2, line.size()));
            }
            out.back().text += line + '\n';
        }
    }
    return out;
}

/// The examples of a document whose titles are file names, as files below `folder`.
std::vector<fs::path> write_examples(const fs::path& document, const fs::path& folder) {
    std::vector<fs::path> out;
    for (const YamlExample& example : examples(document)) {
        const fs::path path = folder / example.title;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, example.text);
        out.push_back(path);
    }
    EXPECT_FALSE(out.empty());
    return out;
}

TEST(RecipeDocument, HasTheTablesOfTheChecker) {
    const std::string document = read_text_file(kDocument);
    test::expect_golden(kDocument, with_tables(document));
}

TEST(BundleDocument, HasTheTablesOfTheChecker) {
    test::expect_golden(kBundleDocument, with_tables(read_text_file(kBundleDocument)));
}

TEST(BundleDocument, HasExamplesThatLoad) {
    const TempDir dir(temporary_root(), "kiln-test");
    const auto found = write_examples(kBundleDocument, dir.path());
    EXPECT_GE(found.size(), 2U);
    for (const fs::path& path : found) {
        Diagnostics diags;
        EXPECT_TRUE(load_bundle(path, diags)) << diags.render_all();
    }
}

TEST(ProgramDocument, HasTheTablesOfTheChecker) {
    test::expect_golden(kProgramDocument, with_tables(read_text_file(kProgramDocument)));
}

TEST(ProgramDocument, HasExamplesThatLoad) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "hello");
    for (const fs::path& path : write_examples(kProgramDocument, dir.path())) {
        Diagnostics diags;
        EXPECT_TRUE(load_program(path, diags)) << diags.render_all();
    }
}

TEST(ReproducibilityDocument, ListsWhatIsRemoved) {
    test::expect_golden(kLeftoversDocument, with_tables(read_text_file(kLeftoversDocument)));
}

TEST(ProjectDocument, HasTheTableThatTheProgramUses) {
    test::expect_golden(kProjectDocument, with_tables(read_text_file(kProjectDocument)));
}

TEST(SuiteDocument, HasTheTablesOfTheChecker) {
    test::expect_golden(kSuiteDocument, with_tables(read_text_file(kSuiteDocument)));
}

TEST(SuiteDocument, HasExamplesThatLoad) {
    const TempDir dir(temporary_root(), "kiln-test");
    const auto found = examples(kSuiteDocument);
    EXPECT_GE(found.size(), 2U);
    for (const YamlExample& example : found) {
        const bool is_piece = example.title == "piece of a suite";
        const fs::path path = dir.path() / "suite.yaml";
        write_file_atomically(path, (is_piece ? "kiln: 1\nsuite: example\n" : "") + example.text);
        Diagnostics diags;
        EXPECT_TRUE(load_suite(path, {}, diags)) << diags.render_all();
    }
}

TEST(Suites, OfTheRecipesLoad) {
    for (const auto& file : fs::directory_iterator(fs::path(KILN_SOURCE_DIR) / "recipes/accept")) {
        Diagnostics diags;
        EXPECT_TRUE(load_suite(file.path(), {}, diags)) << diags.render_all();
    }
}

TEST(RecipeDocument, DescribesEveryStage) {
    const std::string document = read_text_file(kDocument);
    for (const StageShape& stage : stage_shapes()) {
        EXPECT_NE(document.find(fmt::format("\n### {}\n", stage.kind)), std::string::npos)
            << stage.kind;
        EXPECT_NE(document.find(fmt::format("<!-- keys: stage/{}", stage.kind)), std::string::npos)
            << stage.kind;
    }
}

TEST(RecipeDocument, HasExamplesThatLoad) {
    const TempDir dir(temporary_root(), "kiln-test");
    std::vector<fs::path> recipes;
    for (const YamlExample& example : examples(kDocument)) {
        std::string text = example.text;
        fs::path path = dir.path() / example.title;
        if (example.title == "stage") {
            text = "kiln: 1\nname: example\nstages:\n" + text;
        } else if (example.title == "piece of a recipe") {
            text = "kiln: 1\nname: example\n" + text;
        } else {
            ASSERT_TRUE(example.title.ends_with(".yaml")) << "no title: " << text;
        }
        const bool is_file = example.title.ends_with(".yaml");
        if (!is_file) {
            path = dir.path() / fmt::format("example-{}.yaml", recipes.size());
        }
        ASSERT_FALSE(fs::exists(path)) << "two examples are called " << example.title;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
        if (!is_file || path.parent_path().filename() == "recipes") {
            recipes.push_back(path);
        }
    }
    EXPECT_GT(recipes.size(), 10U);
    for (const fs::path& path : recipes) {
        Diagnostics diags;
        const auto recipe = load_recipe(path, {{}, stage_shapes()}, diags);
        EXPECT_EQ(diags.render_all(), "") << read_text_file(path);
        EXPECT_TRUE(recipe.has_value());
    }
}

} // namespace
} // namespace kiln
