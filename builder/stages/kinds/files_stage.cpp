// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/copy/ownership.hpp"
#include "stages/copy/tree_glob.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr Shape kContent{.kind = ShapeKind::string};
constexpr auto kFileFields = std::to_array<Field>({
    {"file", &kAbsolutePath, Need::required, "file to create or replace"},
    {"content", &kContent, Need::optional, "content of the file", {}, "empty"},
    {"from", &kPath, Need::optional, "file on the build host to copy, instead of `content`"},
    kOwnerField,
    kGroupField,
    mode_field("0644"),
});
constexpr auto kDirectoryFields = std::to_array<Field>({
    {"directory", &kAbsolutePath, Need::required, "directory to create, with its parents"},
    kOwnerField,
    kGroupField,
    mode_field("0755"),
});
constexpr auto kLinkFields = std::to_array<Field>({
    {"link", &kAbsolutePath, Need::required, "symbolic link to create or replace"},
    {"target", &kPath, Need::required, "target of the link"},
    kOwnerField,
    kGroupField,
});
constexpr auto kRemoveFields = std::to_array<Field>({
    {"remove",
     &kAbsolutePath,
     Need::required,
     "path to remove recursively; `*`, `?` and `[...]` as in a shell"},
});
constexpr Shape kFile = object_of(kFileFields, "file");
constexpr Shape kDirectory = object_of(kDirectoryFields, "directory");
constexpr Shape kLink = object_of(kLinkFields, "link");
constexpr Shape kRemove = object_of(kRemoveFields, "removal");
constexpr const Shape* kItems[] = {&kFile, &kDirectory, &kLink, &kRemove};
constexpr Shape kItem = one_of(kItems, "file, directory, link or removal");
constexpr Shape kItemList = list_of(&kItem, false);
constexpr auto kFields = std::to_array<Field>({
    {"files",
     &kItemList,
     Need::required,
     "files, directories and links to create or remove, in this order"},
});

class FilesStage final : public Stage {
  public:
    explicit FilesStage(const StageSpec& spec) : spec_(spec) {}

    void check(Diagnostics& diags) const override {
        for (const Value& item : items()) {
            const Value* from = item.find("from");
            if (from == nullptr) {
                continue;
            }
            if (item.contains("content")) {
                diags.error(from->pos(), "'content' and 'from' are mutually exclusive");
            } else {
                check_file(*from, diags);
            }
        }
    }

    void hash_inputs(FieldHasher& hasher, const StageInputs& inputs) const override {
        for (const Value& item : items()) {
            if (const Value* from = item.find("from")) {
                hasher.field("from", inputs.host().file(host_path(*from)).digest);
            }
        }
    }

    void run(StageContext& context, const StageInputs& inputs) const override {
        const AccountFiles accounts(context.tree, context.settings.epoch);
        for (const Value& item : items()) {
            if (item.contains("file")) {
                write_file(
                    context.tree,
                    item,
                    ownership_of(item, accounts, item.at("mode").as_integer()),
                    inputs.host());
            } else if (item.contains("directory")) {
                context.tree.make_directory(
                    item.at("directory").as_string(),
                    ownership_of(item, accounts, item.at("mode").as_integer()));
            } else if (item.contains("link")) {
                context.tree.make_link(
                    item.at("link").as_string(),
                    item.at("target").as_string(),
                    ownership_of(item, accounts, 0777));
            } else {
                for (const std::string& path :
                     named_paths(context, item.at("remove").as_string())) {
                    context.tree.remove(path);
                }
            }
        }
    }

  private:
    [[nodiscard]] std::span<const Value> items() const {
        return spec_.options.at("files").as_list();
    }

    [[nodiscard]] fs::path host_path(const Value& from) const {
        return spec_.base_dir / from.as_string();
    }

    void check_file(const Value& from, Diagnostics& diags) const {
        const fs::path path = host_path(from);
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (fs::is_regular_file(status)) {
            try {
                check_host_file(path);
            } catch (const Error& fault) {
                diags.error(from.pos(), fault.message(), fault.hint());
            }
            return;
        }
        if (fs::exists(status)) {
            diags.error(from.pos(), fmt::format("'{}' is not a regular file", path.string()));
        } else if (status.type() == fs::file_type::not_found) {
            diags.error(from.pos(), fmt::format("file '{}' does not exist", path.string()));
        } else {
            diags.error(
                from.pos(),
                fmt::format("file '{}' cannot be read: {}", path.string(), error.message()));
        }
    }

    void write_file(
        const TreeRoot& tree,
        const Value& item,
        const Ownership& owner,
        const HostFiles& host) const {
        const std::string& path = item.at("file").as_string();
        if (const Value* from = item.find("from")) {
            const auto content = open_unchanged(host.file(host_path(*from)));
            tree.write_file(path, *content, owner);
        } else {
            tree.write_file(path, item.string_or_empty("content"), owner);
        }
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kFilesOptions = object_of(kFields);

std::unique_ptr<Stage> make_files_stage(const StageSpec& spec) {
    return std::make_unique<FilesStage>(spec);
}

} // namespace kiln
