// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/text.hpp"
#include "recipe/chain.hpp"
#include "recipe/merge.hpp"
#include "recipe/recipe.hpp"
#include "recipe/recipe_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace kiln {

namespace {

class Loader {
  public:
    Loader(const LoadOptions& options, Diagnostics& diags) : options_(options), diags_(diags) {}

    std::optional<Recipe> load(const fs::path& path) {
        recipe_.project = options_.project;
        const auto resolve = [&](const fs::path& base_dir, const std::string& text) {
            return options_.project.resolve(DefinitionKind::recipe, text, base_dir);
        };
        FileChain files = load_chain(path, "recipes", resolve, diags_);
        std::vector<ChainFile>& chain = files.files;
        chain_is_whole_ = files.is_whole;
        recipe_.files = std::move(files.named);
        budget_ = files.budget;
        if (diags_.has_errors() && chain.empty()) {
            return std::nullopt;
        }
        collect_variables(chain);
        std::vector<Value> values;
        for (ChainFile& file : chain) {
            substitute_in(file.tree, recipe_.variables);
            values.push_back(validate(file.tree, recipe_shape(), diags_));
        }
        for (std::size_t i = chain.size(); i-- > 0;) {
            read_stages_of(chain[i]);
        }
        check_stage_names();
        read_images(chain);
        if (diags_.has_errors()) {
            return std::nullopt;
        }
        check_overrides();
        for (std::size_t i = chain.size(); i-- > 0;) {
            merge_into(recipe_, values[i], chain[i].path.parent_path());
        }
        check_archives();
        check_named_files();
        if (diags_.has_errors()) {
            return std::nullopt;
        }
        apply_oci_config(values);
        return std::move(recipe_);
    }

  private:
    // Variables --------------------------------------------------------------------------------

    /// Adds what a file's `variables` give to those that are not in `scope` yet.
    void add_defaults(const YamlNode& tree, Variables& scope) {
        const YamlNode* section = tree.find("variables");
        if (section == nullptr) {
            return;
        }
        for (const YamlMember& member : section->members) {
            if (member.value.kind != YamlNode::Kind::scalar) {
                continue;
            }
            if (member.value.text.find("${") != std::string::npos) {
                diags_.error(member.value.pos, "a variable cannot refer to another");
            }
            known_.insert(member.key.text);
            const auto set = options_.set.find(member.key.text);
            const bool is_set = set != options_.set.end();
            const auto [place, is_new] =
                scope.emplace(member.key.text, is_set ? set->second : member.value.text);
            if (is_new && is_set && set->second != member.value.text) {
                recipe_.overrides.insert(*set);
            }
        }
    }

    void collect_variables(const std::vector<ChainFile>& chain) {
        for (const ChainFile& file : chain) {
            add_defaults(file.tree, recipe_.variables);
        }
    }

    void substitute_in(YamlNode& tree, const Variables& scope) {
        Diagnostics unjudged; // a recipe that could not be read may have had the variable
        for (YamlMember& member : tree.members) {
            if (member.key.text != "variables" && member.key.text != "extends") {
                substitute(member.value, scope, chain_is_whole_ ? diags_ : unjudged, expansion_);
            }
        }
    }

    void check_overrides() const {
        const std::vector<std::string_view> known(known_.begin(), known_.end());
        for (const auto& [name, value] : options_.set) {
            if (!known_.contains(name)) {
                throw UsageError(fmt::format("unknown variable '{}' (--set)", name))
                    .with_hint(did_you_mean(name, known))
                    .with_hint(
                        known.empty()
                            ? "the recipe has no variables"
                            : fmt::format("variables of the recipe: {}", fmt::join(known, ", ")));
            }
        }
    }

    // Stages -----------------------------------------------------------------------------------

    /// Where a list of stages is.
    struct Place {
        fs::path base_dir;
        std::vector<StageSpec>* target;
        const Variables* scope;
    };

    void read_stages_of(const ChainFile& file) {
        open_parts_ = {file.path};
        const fs::path dir = file.path.parent_path();
        read_stages(file.tree.find("stages"), {dir, &recipe_.stages, &recipe_.variables});
        if (const YamlNode* last = file.tree.find("final")) {
            read_stages(last->find("stages"), {dir, &recipe_.final_stages, &recipe_.variables});
        }
        if (const YamlNode* vm = file.tree.find("vm")) {
            read_stages(vm->find("stages"), {dir, &recipe_.vm_stages, &recipe_.variables});
        }
        if (const YamlNode* oci = file.tree.find("oci")) {
            read_stages(oci->find("stages"), {dir, &recipe_.oci_stages, &recipe_.variables});
        }
    }

    void read_stages(const YamlNode* list, const Place& place) {
        if (list == nullptr || list->kind != YamlNode::Kind::list) {
            return; // validate() has reported what is not a list
        }
        for (const YamlNode& item : list->items) {
            if (item.kind == YamlNode::Kind::invalid) {
                continue;
            }
            if (item.kind != YamlNode::Kind::map) {
                diags_.error(
                    item.pos,
                    "entry of 'stages' must be a map with 'stage' or 'part'",
                    "such as '- stage: KIND'");
            } else if (item.find("part") != nullptr && item.find("stage") == nullptr) {
                read_part(item, place);
            } else {
                read_stage(item, place);
            }
        }
    }

    [[nodiscard]] fs::path
    resolve(DefinitionKind kind, const std::string& text, const fs::path& base_dir) const {
        return options_.project.resolve(kind, text, base_dir);
    }

    /// load_named(), noted as one of the recipe's files.
    std::optional<YamlNode> load_noted(
        DefinitionKind kind,
        const fs::path& path,
        const std::string& text,
        const SourcePos& named) {
        if (is_definition_name(text) && !fs::exists(path)) {
            diags_.error(
                named,
                fmt::format("{} '{}' not found", info_of(kind).noun, text),
                hint_for_missing(options_.project, kind, text));
            return std::nullopt;
        }
        std::optional<YamlNode> tree = load_named(path, named, budget_, diags_);
        recipe_.files.push_back(path);
        return tree;
    }

    void read_part(const YamlNode& item, const Place& place) {
        const std::size_t faults = diags_.error_count();
        const Value value = validate(item, part_item_shape(), diags_);
        if (diags_.error_count() > faults) {
            return;
        }
        const Value& named = value.at("part");
        const fs::path path = resolve(DefinitionKind::part, named.as_string(), place.base_dir);
        if (closes_cycle(open_parts_, path, named.pos(), "circular inclusion of parts", diags_) ||
            !LoadBudget::allows_depth(open_parts_.size(), named.pos(), diags_)) {
            return;
        }
        std::optional<YamlNode> tree =
            load_noted(DefinitionKind::part, path, named.as_string(), named.pos());
        if (!tree) {
            return;
        }
        Variables scope = *place.scope;
        add_defaults(*tree, scope);
        substitute_in(*tree, scope);
        static_cast<void>(validate(*tree, part_shape(), diags_));
        open_parts_.push_back(path);
        read_stages(tree->find("stages"), {path.parent_path(), place.target, &scope});
        open_parts_.pop_back();
    }

    void read_stage(const YamlNode& item, const Place& place) {
        const StageShape* kind = kind_of(item);
        if (kind == nullptr) {
            return;
        }
        const StageItemShape shape(*kind);
        const std::size_t faults = diags_.error_count();
        const Value value = validate(item, shape.shape(), diags_);
        if (diags_.error_count() > faults) {
            return;
        }
        if (++stages_ > kMaxStages) {
            if (stages_ == kMaxStages + 1) {
                diags_.error(
                    value.at("stage").pos(),
                    fmt::format("the recipe has more than {} stages", kMaxStages));
            }
            return;
        }
        place.target->push_back(
            {std::string(kind->kind),
             value.at("name").as_string(),
             value.string_or_empty("layer"),
             value.without(kCommonStageKeys),
             value.at("stage").pos(),
             place.base_dir,
             kind->takes});
    }

    const StageShape* kind_of(const YamlNode& item) {
        std::vector<std::string_view> kinds;
        for (const StageShape& stage : options_.stages) {
            kinds.push_back(stage.kind);
        }
        const YamlNode* named = item.find("stage");
        if (named == nullptr) {
            report_missing_kind(item, kinds);
            return nullptr;
        }
        if (named->kind == YamlNode::Kind::invalid) {
            return nullptr;
        }
        const auto found = std::find(kinds.begin(), kinds.end(), named->text);
        if (named->kind == YamlNode::Kind::scalar && found != kinds.end()) {
            return &options_.stages[static_cast<std::size_t>(found - kinds.begin())];
        }
        std::string hint = did_you_mean(named->text, kinds);
        if (hint.empty()) {
            hint = fmt::format("known kinds: {}", fmt::join(kinds, ", "));
        }
        diags_.error(named->pos, fmt::format("unknown stage '{}'", named->text), std::move(hint));
        return nullptr;
    }

    void report_missing_kind(const YamlNode& item, std::span<const std::string_view> kinds) {
        const auto member = std::find_if(
            item.members.begin(), item.members.end(), [&](const YamlMember& candidate) {
                return std::find(kinds.begin(), kinds.end(), candidate.key.text) != kinds.end();
            });
        diags_.error(
            item.pos,
            "missing key 'stage' in stage",
            member == item.members.end()
                ? "stage: kind of the stage"
                : fmt::format("write 'stage: {}' and its options beside it", member->key.text));
    }

    void check_stage_names() {
        std::map<std::string, SourcePos> seen;
        for (const auto* list :
             {&recipe_.stages, &recipe_.vm_stages, &recipe_.oci_stages, &recipe_.final_stages}) {
            for (const StageSpec& stage : *list) {
                const auto [first, added] = seen.emplace(stage.name, stage.pos);
                if (!added) {
                    diags_.error(
                        stage.pos,
                        fmt::format("duplicate stage '{}'", stage.name),
                        fmt::format(
                            "set a different 'name'; the first is at {}",
                            first->second.to_string()));
                }
            }
        }
    }

    // Images -----------------------------------------------------------------------------------

    /// The definitions of the first file in the chain that gives `images`.
    void read_images(const std::vector<ChainFile>& chain) {
        for (const ChainFile& file : chain) {
            const YamlNode* list = file.tree.find("images");
            if (list == nullptr) {
                continue;
            }
            for (const YamlNode& item : list->items) {
                if (item.kind == YamlNode::Kind::scalar && !item.text.empty()) {
                    read_image_file(
                        item, resolve(DefinitionKind::image, item.text, file.path.parent_path()));
                }
            }
            return;
        }
    }

    void read_image_file(const YamlNode& item, const fs::path& path) {
        std::optional<YamlNode> tree = load_noted(DefinitionKind::image, path, item.text, item.pos);
        if (!tree) {
            return;
        }
        substitute_in(*tree, recipe_.variables);
        std::optional<ImageSpec> image = read_image(*tree, path, diags_);
        if (!image) {
            return;
        }
        for (const ImageSpec& other : recipe_.images) {
            if (other.name == image->name) {
                diags_.error(
                    item.pos,
                    fmt::format("duplicate image '{}'", image->name),
                    fmt::format("the first is at {}", other.pos.to_string()));
            }
        }
        recipe_.images.push_back(std::move(*image));
    }

    void apply_oci_config(const std::vector<Value>& values) {
        for (std::size_t i = values.size(); i-- > 0;) {
            const Value* oci = values[i].find("oci");
            const Value* config = oci == nullptr ? nullptr : oci->find("config");
            for (ImageSpec& image : recipe_.images) {
                if (auto* container = std::get_if<OciImageSpec>(&image.form);
                    container != nullptr && config != nullptr) {
                    container->config.apply(*config);
                }
            }
        }
    }

    // Other files ------------------------------------------------------------------------------

    /// What would hang or never end when it is read. What is absent is missed where it is used.
    /// The lock says from which archive a package comes by its name alone, and so do '--mirror'
    /// and KILN_MIRROR.
    void check_archives() {
        std::map<std::string, const ArchiveSpec*> seen;
        for (const ArchiveSpec& archive : recipe_.archives) {
            const auto [first, added] = seen.emplace(archive.archive, &archive);
            if (!added && first->second->url != archive.url) {
                diags_.error(
                    archive.pos,
                    fmt::format("archive '{}' has another 'url' here", archive.archive),
                    fmt::format(
                        "give it a name of its own, or the same 'url' as at {}",
                        first->second->pos.to_string()));
            }
        }
    }

    void check_named_files() {
        for (const ArchiveSpec& archive : recipe_.archives) {
            if (!archive.keyring.empty()) {
                check_file_kind(archive.keyring, fs::file_type::regular, archive.pos, diags_);
            }
        }
        for (const auto& [name, source] : recipe_.sources) {
            check_source(source, diags_);
        }
    }

    /// Far beyond what an overlay mount can hold.
    static constexpr std::size_t kMaxStages = 1000;

    const LoadOptions& options_;
    Diagnostics& diags_;
    Recipe recipe_;
    LoadBudget budget_;
    ExpansionBudget expansion_;
    std::size_t stages_ = 0;
    std::set<std::string, std::less<>> known_; ///< variables of all files
    std::vector<fs::path> open_parts_;
    bool chain_is_whole_ = true;
};

} // namespace

std::optional<Recipe>
load_recipe(const fs::path& path, const LoadOptions& options, Diagnostics& diags) {
    return Loader(options, diags).load(path);
}

void add_override(Variables& set, std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        throw UsageError(fmt::format("invalid value '{}' (--set): expected NAME=VALUE", text));
    }
    if (!is_utf8(text)) {
        throw UsageError(
            fmt::format("the value of '{}' is not valid UTF-8 (--set)", text.substr(0, equals)));
    }
    set.insert_or_assign(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

} // namespace kiln
