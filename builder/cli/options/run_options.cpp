// SPDX-License-Identifier: MIT
#include "cli/options/run_options.hpp"

#include "bake/record.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/options/recipe_argument.hpp"
#include "verify/inspect/image_inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::string_view kRecipeNoun = info_of(DefinitionKind::recipe).noun;
constexpr std::string_view kSuiteNoun = info_of(DefinitionKind::suite).noun;

std::optional<InstanceKind> kind_of(const Arguments& arguments) {
    const bool docker = arguments.flag(kDockerOption.name);
    const bool vm = arguments.flag(kVmOption.name);
    if (docker && vm) {
        throw UsageError("--docker and --vm are mutually exclusive");
    }
    if (docker) {
        return InstanceKind::container;
    }
    return vm ? std::optional(InstanceKind::vm) : std::nullopt;
}

InstanceKind kind_of_format(ImageFormat format) {
    return is_disk(format) ? InstanceKind::vm : InstanceKind::container;
}

/// What a recipe's name means: the first of its results that fits.
fs::path
find_result(const Project& project, const std::string& name, std::optional<InstanceKind> kind) {
    const fs::path folder = project.results / name;
    for (const ImageFormatInfo& info : kImageFormats) {
        const fs::path candidate = folder / (name + std::string(info.suffix));
        const bool fits = !kind || *kind == kind_of_format(info.format);
        if (info.runs && fits && fs::exists(candidate)) {
            return candidate;
        }
    }
    const std::string_view what = !kind                       ? "image"
                                  : *kind == InstanceKind::vm ? "disk image"
                                                              : "container image";
    throw UsageError(fmt::format("no {} of '{}' in '{}'", what, name, folder.string()))
        .with_hint(
            fmt::format("run 'kiln bake {}' to build it, or give the path of an image", name));
}

void require_runnable(const fs::path& image, ImageFormat format) {
    require_readable_disk(image, format);
    if (!info_of(format).runs) {
        throw UsageError(fmt::format(
                             "'{}' is {}, which has no configuration to run it",
                             image.string(),
                             info_of(format).article))
            .with_hint("use 'docker import' to create an image from it; kiln runs docker archives, "
                       "OCI layouts and disks");
    }
}

bool is_name(const std::string& argument) {
    return argument.find('/') == std::string::npos && !fs::exists(argument);
}

Recipe load_recipe_file(const fs::path& recipe_file, Context& context) {
    Diagnostics diags;
    std::optional<Recipe> recipe =
        load_recipe(recipe_file, load_options(project_of(recipe_file, context)), diags);
    require_no_faults(recipe_file, kRecipeNoun, diags, context);
    return std::move(*recipe);
}

fs::path suite_of_recipe(const fs::path& recipe_file, Context& context) {
    return load_recipe_file(recipe_file, context).suite;
}

bool is_recipe_file(const std::string& argument) {
    return argument.ends_with(".yaml") || argument.ends_with(".yml");
}

/// The image that IMAGE means: a file as it is, else the results of a recipe that is given by its
/// name or its file.
fs::path image_of(const std::string& argument, std::optional<InstanceKind> kind, Context& context) {
    if (is_recipe_file(argument)) {
        const Recipe recipe = load_recipe_file(argument, context);
        return find_result(recipe.project, recipe.name, kind);
    }
    return is_name(argument) ? find_result(current_project(context), argument, kind)
                             : fs::path(argument);
}

/// The file of the recipe that the image was made from, as far as one can tell.
fs::path recipe_of_image(const std::string& argument, const fs::path& image, Context& context) {
    std::string name = argument;
    if (!is_name(argument)) {
        const fs::path plain = image.has_filename() ? image : image.parent_path();
        const fs::path record = fs::absolute(plain).parent_path() / "record.json";
        if (!fs::exists(record)) {
            return {};
        }
        name = load_record(record).recipe;
    }
    const fs::path recipe = current_project(context).resolve(DefinitionKind::recipe, name);
    return fs::exists(recipe) ? recipe : fs::path();
}

fs::path find_suite(const Arguments& arguments, const fs::path& image, Context& context) {
    if (const auto suite = arguments.value(kSuiteOption.name)) {
        return find_definition(DefinitionKind::suite, *suite, context).path;
    }
    if (const auto recipe = arguments.value(kRunRecipeOption.name)) {
        const fs::path file = find_definition(DefinitionKind::recipe, *recipe, context).path;
        fs::path suite = suite_of_recipe(file, context);
        if (suite.empty()) {
            throw UsageError(fmt::format("recipe '{}' has no suite", file.string()))
                .with_hint("set 'accept' in the recipe, or use --suite FILE");
        }
        return suite;
    }
    const std::string& argument = arguments.positional(kInstanceImagePositional.name);
    const fs::path recipe =
        is_recipe_file(argument) ? fs::path(argument) : recipe_of_image(argument, image, context);
    return recipe.empty() ? fs::path() : suite_of_recipe(recipe, context);
}

} // namespace

void check_suite_of(const Recipe& recipe, Context& context) {
    if (recipe.suite.empty()) {
        return;
    }
    Diagnostics diags;
    if (fs::exists(recipe.suite)) {
        static_cast<void>(load_suite(recipe.suite, {}, diags));
        require_no_faults(recipe.suite, kSuiteNoun, diags, context);
        return;
    }
    diags.error(
        recipe.suite_pos,
        fmt::format("suite '{}' not found", recipe.suite.string()),
        "paths are relative to the file that contains them");
    require_no_faults(recipe.files.front(), kRecipeNoun, diags, context);
}

Suite load_suite_file(const fs::path& path, const Variables& set, Context& context) {
    Diagnostics diags;
    std::optional<Suite> suite = load_suite(path, set, diags);
    require_no_faults(path, kSuiteNoun, diags, context);
    KILN_CHECK(suite.has_value());
    return std::move(*suite);
}

SessionRequest session_request(const Arguments& arguments, Context& context) {
    SessionRequest request;
    const std::optional<InstanceKind> kind = kind_of(arguments);
    request.image = image_of(arguments.positional(kInstanceImagePositional.name), kind, context);
    request.format = detect_image_format(request.image);
    require_runnable(request.image, request.format);
    request.kind = kind_of_format(request.format);
    if (kind && *kind != request.kind) {
        throw UsageError(fmt::format(
            "'{}' is {}, which {} does not support",
            request.image.string(),
            request.kind == InstanceKind::vm ? "a disk" : "a container image",
            *kind == InstanceKind::vm ? kVmOption.name : kDockerOption.name));
    }
    Variables set;
    for (const std::string& text : arguments.values(kSuiteSetOption.name)) {
        add_override(set, text);
    }
    if (const fs::path suite = find_suite(arguments, request.image, context); !suite.empty()) {
        request.suite = load_suite_file(suite, set, context);
    } else if (!set.empty()) {
        throw UsageError("--set requires a suite");
    }
    for (const std::string& text : arguments.values(kPortOption.name)) {
        add_port_choice(request.ports, text);
    }
    request.data = arguments.value_or(kDataOption.name, "");
    const std::string firmware = arguments.value_or(kFirmwareOption.name, "bios");
    request.firmware = firmware == "uefi" ? Firmware::uefi : Firmware::bios;
    request.engine = arguments.value_or(kEngineOption.name, "");
    request.network = arguments.value_or(kNetworkOption.name, "");
    request.emulate = arguments.flag(kEmulateOption.name);
    request.keep = arguments.flag(kKeepOption.name);
    request.env = context.io.env;
    return request;
}

} // namespace kiln
