// SPDX-License-Identifier: MIT
//
// The defaults in the shapes of all kinds of files: the readers take them from there.
#include "base/error.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "recipe/recipe.hpp"
#include "run/suite.hpp"
#include "stages/stage.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace kiln {
namespace {

/// Calls `visit` with every field of `shape` and of the shapes below it, once each.
void visit_fields(
    const Shape& shape,
    std::set<const Field*>& seen,
    const std::function<void(const Field&)>& visit) {
    if (shape.element != nullptr) {
        visit_fields(*shape.element, seen, visit);
    }
    for (const Shape* variant : shape.variants) {
        visit_fields(*variant, seen, visit);
    }
    for (const Field& field : shape.fields) {
        if (seen.insert(&field).second) {
            visit(field);
            visit_fields(*field.shape, seen, visit);
        }
    }
}

void visit_all_fields(const std::function<void(const Field&)>& visit) {
    std::set<const Field*> seen;
    for (const Shape* shape :
         {&recipe_shape(),
          &part_shape(),
          &bundle_shape(),
          &program_shape(),
          &suite_shape(),
          &project_shape(),
          &disk_image_shape(),
          &oci_image_shape()}) {
        visit_fields(*shape, seen, visit);
    }
    for (const StageShape& stage : stage_shapes()) {
        visit_fields(*stage.options, seen, visit);
    }
}

TEST(Defaults, AreValuesOfTheirShapes) {
    int defaults = 0;
    visit_all_fields([&](const Field& field) {
        if (field.default_text.empty()) {
            return;
        }
        ++defaults;
        EXPECT_EQ(field.need, Need::optional) << field.name;
        EXPECT_TRUE(field.otherwise.empty()) << field.name;
        Diagnostics faults;
        const auto node = parse_yaml(
            std::make_shared<const SourceFile>(
                SourceFile{std::string(field.name), std::string(field.default_text)}),
            faults);
        ASSERT_TRUE(node) << field.name;
        static_cast<void>(validate(*node, *field.shape, faults));
        EXPECT_EQ(faults.render_all(), "") << field.name << ": " << field.default_text;
    });
    EXPECT_GT(defaults, 30);
}

/// Those are in words because a file cannot say them.
TEST(Defaults, AreWordsOnlyWhereNoFileCouldSayThem) {
    visit_all_fields([](const Field& field) {
        const ShapeKind kind = field.shape->kind;
        if (field.otherwise.empty() || kind == ShapeKind::list || kind == ShapeKind::map ||
            kind == ShapeKind::string) {
            return; // "none" and the like
        }
        Diagnostics faults;
        const auto node = parse_yaml(
            std::make_shared<const SourceFile>(
                SourceFile{std::string(field.name), std::string(field.otherwise)}),
            faults);
        if (node) {
            static_cast<void>(validate(*node, *field.shape, faults));
        }
        EXPECT_TRUE(faults.has_errors()) << field.name << ": " << field.otherwise;
    });
}

/// The sandbox has limits without any recipe; the recipe's table tells them.
TEST(Defaults, OfLimitsAreThoseOfTheSandbox) {
    const Field* limits = nullptr;
    for (const Field& field : recipe_shape().fields) {
        limits = field.name == "limits" ? &field : limits;
    }
    ASSERT_NE(limits, nullptr);
    const Value value = empty_object(*limits->shape);
    const SandboxLimits sandbox;
    EXPECT_EQ(
        std::chrono::milliseconds(value.at("time").as_integer()),
        std::chrono::milliseconds(sandbox.time));
    EXPECT_EQ(value.at("output").as_integer(), static_cast<std::int64_t>(sandbox.output));
    EXPECT_EQ(value.at("processes").as_integer(), static_cast<std::int64_t>(sandbox.processes));
    EXPECT_EQ(sandbox.memory, 0U); // "three quarters of the machine's memory"
    EXPECT_EQ(sandbox.disk, 0U);   // "90 % of the free space"
    EXPECT_EQ(sandbox.files, 0U);
}

TEST(Defaults, OfASuiteHoldForAnImageWithoutOne) {
    const Suite suite = default_suite();
    EXPECT_EQ(suite.ready.statuses, std::vector<int>{200});
    EXPECT_EQ(suite.ready.within, std::chrono::minutes(5));
    EXPECT_EQ(suite.container.stop, std::chrono::seconds(30));
    EXPECT_EQ(suite.container.memory_bytes, 0U);
    EXPECT_EQ(suite.machine.memory_bytes, std::uint64_t{1} << 30U);
    EXPECT_EQ(suite.machine.cpus, 2U);
    EXPECT_EQ(suite.machine.inside, MachineShell::ssh);
    EXPECT_EQ(suite.machine.stop, std::chrono::minutes(2));
}

} // namespace
} // namespace kiln
