// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/copy/folder_copy.hpp"
#include "stages/copy/ownership.hpp"
#include "stages/copy/source_archive.hpp"
#include "stages/kinds.hpp"

#include <array>

namespace kiln {

namespace {

constexpr auto kFields = std::to_array<Field>({
    {"source", &kName, Need::required, "name of one of the recipe's sources"},
    {"to", &kAbsolutePath, Need::required, "destination directory"},
    kOwnerField,
    kGroupField,
    {"revision_file",
     &kAbsolutePath,
     Need::optional,
     "file to write the commit id to, with a newline; for a modified checkout followed by a digest "
     "of the content, for a plain directory only that digest"},
});

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
            return ownership_of(spec_.options, accounts, mode);
        };
        const std::string to = spec_.options.at("to").as_string();
        if (source.is_tarball) {
            unpack_source(source, to, context.tree, ownership);
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

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kSourceOptions = object_of(kFields);

std::unique_ptr<Stage> make_source_stage(const StageSpec& spec) {
    return std::make_unique<SourceStage>(spec);
}

} // namespace kiln
