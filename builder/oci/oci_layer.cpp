// SPDX-License-Identifier: MIT
#include "oci/oci_layer.hpp"

#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <fmt/format.h>

#include <vector>

namespace kiln {

namespace {

Entry make_whiteout() {
    Entry entry;
    entry.type = FileType::whiteout;
    return entry;
}

bool is_directory(const Entry* entry) {
    return entry != nullptr && entry->type == FileType::directory;
}

class Planner {
  public:
    Planner(const FileTree& delta, const FileTree* below)
        : delta_(delta), below_(below != nullptr ? *below : kNothing) {}

    FileTree run() {
        for (const auto& [path, entry] : delta_.entries()) {
            add(path, entry);
        }
        add_parents();
        return std::move(plan_);
    }

  private:
    void add(const std::string& path, const Entry& entry) {
        if (base_name(path).starts_with(kWhiteoutPrefix)) {
            throw Error(fmt::format("'/{}' cannot be stored in an OCI layer", path))
                .with_hint("names that begin with '.wh.' are whiteouts: rename the file");
        }
        if (entry.type == FileType::whiteout) {
            if (below_.find(path) != nullptr && parent_is_directory(path)) {
                plan_.put(path, make_whiteout());
            }
            return;
        }
        Entry taken = entry;
        taken.opaque = false;
        if (!entry.hardlink_to.empty()) {
            resolve_link(path, taken);
        }
        plan_.put(path, std::move(taken));
        if (entry.opaque) {
            hide_below(path);
        }
    }

    /// False where the delta put something else in a directory's place, which removes all of it.
    bool parent_is_directory(std::string_view path) const {
        while (!path.empty()) {
            path = parent_path(path);
            if (const Entry* entry = delta_.find(path);
                entry != nullptr && entry->type != FileType::directory) {
                return false;
            }
        }
        return true;
    }

    /// A link whose first member is elsewhere carries the content; later ones link to it.
    void resolve_link(const std::string& path, Entry& entry) {
        const Entry* first = plan_.find(entry.hardlink_to);
        if (first != nullptr && first->type == FileType::regular && first->hardlink_to.empty()) {
            return;
        }
        const auto [moved, is_new] = moved_links_.try_emplace(entry.hardlink_to, path);
        if (!is_new) {
            entry.hardlink_to = moved->second;
            return;
        }
        const Entry* lower = below_.find(entry.hardlink_to);
        if (lower == nullptr || lower->type != FileType::regular || !lower->hardlink_to.empty()) {
            throw Error(fmt::format(
                "'/{}' is a hard link to '/{}', which does not exist", path, moved->first));
        }
        entry = *lower;
    }

    /// Whiteouts for what an opaque directory hides and the delta does not bring again.
    void hide_below(const std::string& directory) {
        const std::string prefix = directory.empty() ? "" : directory + "/";
        const auto& entries = below_.entries();
        for (auto it = entries.upper_bound(prefix);
             it != entries.end() && it->first.starts_with(prefix);
             ++it) {
            const Entry* now = delta_.find(it->first);
            const std::string_view parent = parent_path(it->first);
            const bool parent_stays = parent == directory || is_directory(delta_.find(parent));
            if (parent_stays && (now == nullptr || now->type == FileType::whiteout)) {
                plan_.put(it->first, make_whiteout());
            }
        }
    }

    void add_parents() {
        FileTree parents;
        for (const auto& [path, entry] : plan_.entries()) {
            for (std::string_view parent = parent_path(path); !parent.empty();
                 parent = parent_path(parent)) {
                if (const Entry* there = plan_.find(parent)) {
                    require_directory(there, path);
                    break;
                }
                const Entry* lower = below_.find(parent);
                require_directory(lower, path);
                parents.put(std::string(parent), *lower);
            }
        }
        for (const auto& [path, entry] : parents.entries()) {
            plan_.put(path, entry);
        }
    }

    static void require_directory(const Entry* parent, std::string_view path) {
        if (!is_directory(parent)) {
            throw Error(fmt::format("the parent of '/{}' is not a directory", path));
        }
    }

    inline static const FileTree kNothing;

    const FileTree& delta_;
    const FileTree& below_;
    FileTree plan_;
    std::map<std::string, std::string> moved_links_; ///< first member elsewhere -> its stand-in
};

std::string whiteout_path(std::string_view path) {
    const std::string_view parent = parent_path(path);
    return fmt::format(
        "{}{}{}{}", parent, parent.empty() ? "" : "/", kWhiteoutPrefix, base_name(path));
}

} // namespace

FileTree plan_layer(const FileTree& delta, const FileTree* below) {
    return Planner(delta, below).run();
}

void write_layer(const FileTree& plan, Sink& sink) {
    std::map<std::string_view, std::vector<std::string>> whiteouts;
    for (const auto& [path, entry] : plan.entries()) {
        if (entry.type == FileType::whiteout) {
            whiteouts[parent_path(path)].push_back(whiteout_path(path));
        }
    }
    Entry marker;
    marker.data = std::make_shared<const std::string>();
    TarWriter writer(sink);
    const auto add_whiteouts = [&](std::string_view directory) {
        for (const std::string& path : whiteouts[directory]) {
            writer.add(path, marker);
        }
    };
    if (plan.find("") == nullptr) {
        add_whiteouts("");
    }
    for (const auto& [path, entry] : plan.entries()) {
        throw_if_interrupted();
        if (entry.type == FileType::whiteout) {
            continue;
        }
        writer.add(path, entry);
        if (entry.type == FileType::directory) {
            add_whiteouts(path);
        }
    }
    writer.finish();
}

} // namespace kiln
