// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/shell_word.hpp"
#include "cli/commands.hpp"
#include "cli/project_template.hpp"
#include "recipe/project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln init web", "creates the folder 'web' with a project that bakes"},
    {"kiln init --name web", "the same in the current folder"},
});

constexpr OptionSpec kNameOption{
    .name = "--name",
    .value = "NAME",
    .doc = "name of the first recipe; default: the name of the folder"};
constexpr std::array kOptions{kNameOption};
constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "DIR",
     .doc = "folder of the project, created if it does not exist; default: the current folder",
     .count = Count::optional,
     .completes = Completes::directory},
});

bool is_valid_name(std::string_view name) {
    constexpr std::size_t kLongest = 63; // of a host name, which it becomes
    return !name.empty() && name.size() <= kLongest && name.front() != '-' && name.back() != '-' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

std::string name_of_project(const Arguments& arguments, const fs::path& folder) {
    const auto given = arguments.value(kNameOption.name);
    std::string name = given.value_or(fs::weakly_canonical(folder).filename().string());
    if (!is_valid_name(name)) {
        throw UsageError(fmt::format("'{}' cannot be the name of a recipe", name))
            .with_hint(fmt::format(
                "names are lower-case letters, digits and '-', at most 63 characters{}",
                given ? "" : "; give one with --name NAME"));
    }
    return name;
}

void require_absent(const fs::path& folder, const std::vector<TemplateFile>& files) {
    std::vector<std::string> present;
    for (const TemplateFile& file : files) {
        if (fs::exists(fs::symlink_status(folder / file.path))) {
            present.push_back("'" + (folder / file.path).string() + "'");
        }
    }
    if (!present.empty()) {
        throw UsageError(fmt::format("refusing to overwrite {}", fmt::join(present, ", ")))
            .with_hint("choose an empty folder: 'kiln init DIR'");
    }
}

/// Removes the files and folders it was given unless released, so that a failure leaves nothing.
class Undo {
  public:
    Undo() = default;
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

    ~Undo() {
        std::error_code ignored;
        for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) {
            fs::remove(*path, ignored); // folders only when they are empty
        }
    }

    void add(fs::path path) { paths_.push_back(std::move(path)); }

    void release() { paths_.clear(); }

  private:
    std::vector<fs::path> paths_;
};

void create_folders(const fs::path& folder, Undo& undo) {
    if (folder.empty() || fs::is_directory(folder)) {
        return;
    }
    create_folders(folder.parent_path(), undo);
    if (fs::create_directory(folder)) {
        undo.add(folder);
    }
}

void write_project(const fs::path& folder, const std::vector<TemplateFile>& files) {
    Undo undo;
    for (const TemplateFile& file : files) {
        const fs::path path = folder / file.path;
        create_folders(path.parent_path(), undo);
        undo.add(path);
        write_file_atomically(path, file.text);
    }
    undo.release();
}

ExitCode run(const Arguments& arguments, Context& context) {
    const fs::path folder = arguments.optional_positional("DIR").value_or("");
    if (!folder.empty() && fs::exists(folder) && !fs::is_directory(folder)) {
        throw UsageError(fmt::format("'{}' is not a folder", folder.string()));
    }
    const std::string name = name_of_project(arguments, folder.empty() ? "." : folder);
    const std::vector<TemplateFile> files = project_template(name);
    require_absent(folder, files);
    write_project(folder, files);
    for (const TemplateFile& file : files) {
        context.io.out << (folder / file.path).string() << '\n';
    }
    context.console.info(fmt::format(
        "next: {}kiln bake {}",
        folder.empty() ? std::string() : fmt::format("cd {} && ", shell_word(folder.string())),
        name));
    return ExitCode::ok;
}

} // namespace

const CommandSpec kInitCommand{
    .name = "init",
    .summary = "create a small project that bakes",
    .description =
        "Writes a recipe for a small Debian, its overlay, a suite of checks for it, and kiln.yaml, "
        "which says where kiln finds and puts the project's files. Existing files are never "
        "overwritten.\n"
        "\n"
        "Then 'kiln bake NAME' resolves the packages, writes the lock beside the recipe and builds "
        "the images; 'kiln run NAME' starts one, 'kiln accept NAME' runs the checks.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
