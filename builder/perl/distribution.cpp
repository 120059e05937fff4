// SPDX-License-Identifier: MIT
#include "perl/distribution.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

namespace kiln {

namespace {

/// Far larger than any file of code or metadata; what is larger is data.
constexpr std::uint64_t kLargestText = 16U << 20U;

/// Modules that perl's own build writes; no file of the tarball has them.
constexpr std::array<std::string_view, 2> kGeneratedCoreModules{"Config", "Errno"};

std::string read_text(Source& content) {
    MemorySink sink;
    copy(content, sink);
    return std::string(sink.text());
}

struct TarballFile {
    std::string top;  ///< the folder that holds everything
    std::string path; ///< below it
    std::uint64_t size = 0;
    std::int64_t mtime = 0;
    Source& content;
};

void for_each_file(
    const std::filesystem::path& tarball,
    const std::string& name,
    const std::function<void(const TarballFile&)>& use) {
    with_context(fmt::format("reading '{}'", name), [&] {
        FileSource file(tarball);
        ArchiveReader reader(file, name);
        while (const auto member = reader.next()) {
            const std::size_t slash = member->path.find('/');
            if (member->entry.type == FileType::regular && slash != std::string::npos) {
                use(
                    {member->path.substr(0, slash),
                     member->path.substr(slash + 1),
                     member->entry.size,
                     member->entry.mtime,
                     reader.content()});
            }
        }
    });
}

/// "Try-Tiny-0.31" -> {"Try-Tiny", "0.31"}
std::pair<std::string, std::string> split_folder_name(const std::string& folder) {
    for (std::size_t dash = folder.rfind('-'); dash != std::string::npos && dash > 0;
         dash = folder.rfind('-', dash - 1)) {
        const char next = dash + 1 < folder.size() ? folder[dash + 1] : '\0';
        if ((next >= '0' && next <= '9') || next == 'v') {
            return {folder.substr(0, dash), folder.substr(dash + 1)};
        }
    }
    return {folder, ""};
}

void add_modules(PerlModules& modules, const PerlModules& more) {
    for (const auto& [module, version] : more) {
        std::string& known = modules[module];
        known = known.empty() ? version : known;
    }
}

/// What is found while a distribution's tarball goes by.
struct Findings {
    std::string top;
    std::set<std::string> build_files;
    std::optional<DistributionMeta> json;
    std::optional<DistributionMeta> yaml;
    PerlModules modules;
};

void look_at(const TarballFile& file, Findings& found) {
    found.top = found.top.empty() ? file.top : found.top;
    if (file.size > kLargestText) {
        return;
    }
    if (file.path == "META.json") {
        found.json = parse_meta_json(read_text(file.content));
    } else if (file.path == "META.yml") {
        found.yaml = parse_meta_yaml(read_text(file.content));
    } else if (file.path == "Makefile.PL" || file.path == "Build.PL") {
        found.build_files.insert(file.path);
    } else if (is_module_file(file.path)) {
        add_modules(found.modules, find_modules(file.path, read_text(file.content)));
    }
}

/// Build.PL where it is the author's choice; many have a Makefile.PL beside it for old clients.
BuildTool tool_of(const Findings& found, const std::vector<ModuleNeed>& needs) {
    const bool has_build = found.build_files.contains("Build.PL");
    if (!found.build_files.contains("Makefile.PL")) {
        return has_build ? BuildTool::build_script : BuildTool::none;
    }
    const bool configures_with_build =
        std::any_of(needs.begin(), needs.end(), [](const ModuleNeed& need) {
            return need.phase == NeedPhase::configure && need.module.starts_with("Module::Build");
        });
    return has_build && configures_with_build ? BuildTool::build_script : BuildTool::makefile;
}

} // namespace

std::string_view build_tool_name(BuildTool tool) {
    switch (tool) {
    case BuildTool::makefile:
        return "Makefile.PL";
    case BuildTool::build_script:
        return "Build.PL";
    default:
        return "none";
    }
}

Distribution read_distribution(const std::filesystem::path& tarball, const std::string& name) {
    Findings found;
    for_each_file(tarball, name, [&](const TarballFile& file) { look_at(file, found); });
    Distribution out;
    std::tie(out.name, out.version) = split_folder_name(found.top);
    if (auto& meta = found.json ? found.json : found.yaml) {
        out.name = meta->name.empty() ? out.name : meta->name;
        out.version = meta->version.empty() ? out.version : meta->version;
        out.needs = std::move(meta->needs);
        add_modules(found.modules, meta->provides);
    }
    out.modules = std::move(found.modules);
    out.tool = tool_of(found, out.needs);
    if (out.tool == BuildTool::none) {
        throw Error(fmt::format(
            "'{}' has neither Makefile.PL nor Build.PL: not a release of a perl distribution",
            name));
    }
    return out;
}

PerlSource read_perl_source(const std::filesystem::path& tarball, const std::string& name) {
    PerlSource out;
    for_each_file(tarball, name, [&](const TarballFile& file) {
        out.newest = std::max(out.newest, file.mtime);
        if (file.size <= kLargestText && is_core_module_file(file.path)) {
            add_modules(out.modules, find_modules(file.path, read_text(file.content)));
        }
    });
    for (const std::string_view module : kGeneratedCoreModules) {
        out.modules.try_emplace(std::string(module));
    }
    return out;
}

} // namespace kiln
