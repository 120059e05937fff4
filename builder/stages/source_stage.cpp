// SPDX-License-Identifier: MIT
#include "formats/archive_reader.hpp"
#include "recipe/patterns.hpp"
#include "stages/folder_copy.hpp"
#include "stages/kinds.hpp"
#include "stages/ownership.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr auto kFields = std::to_array<Field>({
    {"source", &kName, Need::required, "name of one of the recipe's sources"},
    {"to", &kAbsolutePath, Need::required, "directory that gets its content"},
    kOwnerField,
    kGroupField,
    {"revision_file",
     &kAbsolutePath,
     Need::optional,
     "file that gets the commit's id and a newline; of a checkout that was changed the content's "
     "digest, too, and of another folder that alone"},
});

/// A tarball's member path without its leading components; nothing when that leaves no name.
std::optional<std::string> stripped(std::string path, unsigned count) {
    for (; count > 0; --count) {
        const std::size_t slash = path.find('/');
        if (slash == std::string::npos) {
            return std::nullopt;
        }
        path.erase(0, slash + 1);
    }
    return path.empty() ? std::nullopt : std::optional(path);
}

class SourceStage final : public Stage {
  public:
    explicit SourceStage(const StageSpec& spec) : spec_(spec) {}

    void hash_inputs(FieldHasher& hasher, const StageInputs& inputs) const override {
        const SourceInput source = inputs.source(source_name());
        hasher.field("source", source.digest)
            .field("revision", source.revision)
            .field("strip", static_cast<std::uint64_t>(source.strip));
    }

    void run(StageContext& context, const StageInputs& inputs) const override {
        const SourceInput source = inputs.source(source_name());
        const AccountFiles accounts(context.tree, context.settings.epoch);
        const auto ownership = [&](const std::string&, std::uint32_t mode) {
            Ownership out = ownership_of(spec_.options, accounts, mode);
            out.mode = mode;
            return out;
        };
        const std::string to = spec_.options.at("to").as_string();
        if (source.is_tarball) {
            unpack_tarball(source, to, context.tree, ownership);
        } else {
            copy_folder(inputs.host().folder(source.path), to, context.tree, ownership, true);
        }
        if (const Value* file = spec_.options.find("revision_file")) {
            const std::string revision =
                source.revision.empty() ? source.digest.to_string() : source.revision;
            context.tree.write_file(file->as_string(), revision + "\n", Ownership{});
        }
    }

  private:
    [[nodiscard]] const std::string& source_name() const {
        return spec_.options.at("source").as_string();
    }

    static void unpack_tarball(
        const SourceInput& source,
        const std::string& to,
        const TreeRoot& tree,
        const OwnershipOf& ownership) {
        FileSource file(source.path);
        ArchiveReader reader(file, source.path.filename().string());
        tree.make_directory(to, ownership("", 0755));
        while (const auto member = reader.next()) {
            const auto path = stripped(member->path, source.strip);
            if (!path) {
                continue;
            }
            const bool executable =
                member->entry.type == FileType::directory || (member->entry.mode & 0100U) != 0;
            const Ownership owner = ownership(*path, executable ? 0755 : 0644);
            const std::string target = to + "/" + *path;
            if (member->entry.type == FileType::directory) {
                tree.make_directory(target, owner);
            } else if (member->entry.type == FileType::symlink) {
                tree.make_link(target, member->entry.target, owner);
            } else if (
                member->entry.type == FileType::regular && member->entry.hardlink_to.empty()) {
                tree.write_file(target, reader.content(), owner);
            } else {
                throw Error(fmt::format(
                    "'{}' of '{}' is neither file, directory nor link",
                    member->path,
                    source.path.filename().string()));
            }
        }
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kSourceOptions = object_of(kFields);

std::unique_ptr<Stage> make_source_stage(const StageSpec& spec) {
    return std::make_unique<SourceStage>(spec);
}

} // namespace kiln
