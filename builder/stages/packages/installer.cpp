// SPDX-License-Identifier: MIT
#include "stages/packages/installer.hpp"

#include "base/text.hpp"
#include "stages/packages/configure.hpp"
#include "stages/packages/dpkg_database.hpp"
#include "stages/packages/fixed_ids.hpp"
#include "stages/packages/unpacker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace kiln {

namespace {

using Indices = std::set<std::size_t>; // positions in the lock's order

class Installer {
  public:
    Installer(std::vector<PackageFile> packages, StageContext& context)
        : packages_(std::move(packages)), context_(context), index_(packages_),
          database_(context.tree), unpacker_(context, database_), configurer_(context, packages_) {}

    void run() {
        context_.job.set_total(2 * packages_.size(), Job::Unit::items);
        Indices rest = all();
        if (!database_.exists()) {
            rest = bootstrap(rest);
        }
        install_rest(rest);
        configurer_.configure_all();
        configurer_.audit();
    }

  private:
    [[nodiscard]] Indices all() const {
        Indices out;
        for (std::size_t i = 0; i < packages_.size(); ++i) {
            out.insert(i);
        }
        return out;
    }

    /// Makes an empty root able to run scripts; returns what is left to install.
    Indices bootstrap(const Indices& everything) {
        make_merged_usr();
        database_.create();
        Indices essential;
        for (const std::size_t i : everything) {
            if (packages_[i].essential) {
                essential.insert(i);
            }
        }
        if (essential.empty()) {
            throw Error("the first packages stage has no Essential packages");
        }
        const Indices base = index_.closure(essential);
        unpack(base);
        for (const std::size_t i : base) {
            run_preinst(packages_[i]);
        }
        // Other scripts of this set take the base users and groups for granted.
        configurer_.configure({"base-passwd"}, Configurer::Force::depends);
        configurer_.configure_all();
        apply_fixed_ids(context_);
        mark_configured(base);
        Indices rest;
        std::set_difference(
            everything.begin(),
            everything.end(),
            base.begin(),
            base.end(),
            std::inserter(rest, rest.end()));
        return rest;
    }

    /// REPRO: the merged-/usr links that debootstrap makes; no bookworm package ships them.
    void make_merged_usr() const {
        for (const std::string name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
            if (!context_.tree.exists(name)) {
                context_.tree.make_directories("usr/" + name);
                context_.tree.make_link(name, "usr/" + name, {.mode = 0777});
            }
        }
    }

    void install_rest(const Indices& rest) {
        Indices plain;
        for (const std::size_t i : rest) {
            if (!packages_[i].has_script("preinst")) {
                plain.insert(i);
            }
        }
        unpack(plain);
        for (const std::size_t i : rest) {
            install_with_preinst(i);
        }
    }

    void install_with_preinst(std::size_t i) {
        if (!unpacked_.insert(i).second) {
            return;
        }
        configure_pre_dependencies(i);
        run_preinst(packages_[i]);
        unpacked_.erase(i);
        unpack({i});
    }

    /// Policy 7.2: what a package pre-depends on is configured before its preinst runs.
    void configure_pre_dependencies(std::size_t i) {
        const Indices needed = index_.closure(index_.satisfying(packages_[i].pre_depends));
        std::vector<std::string> names;
        for (const std::size_t dependency : needed) {
            if (dependency != i && !configured_.contains(dependency)) {
                install_with_preinst(dependency);
                names.push_back(packages_[dependency].info_name());
            }
        }
        if (!names.empty()) {
            configurer_.configure(names, Configurer::Force::none);
            mark_configured(needed);
        }
    }

    void mark_configured(const Indices& packages) {
        configured_.insert(packages.begin(), packages.end());
        unpacker_.forget_tree();
        database_.reload_diversions();
    }

    void unpack(const Indices& which) {
        std::vector<const PackageFile*> files;
        for (const std::size_t i : which) {
            files.push_back(&packages_[i]);
            unpacked_.insert(i);
        }
        const auto unpacked = unpacker_.unpack(files, [&](std::size_t i) {
            context_.job.note("unpacking " + files[i]->name);
            context_.job.add(1);
        });
        database_.record_unpacked(unpacked);
    }

    void run_preinst(const PackageFile& package) {
        if (!package.has_script("preinst")) {
            return;
        }
        context_.job.note("preinst of " + package.name);
        configurer_.run_preinst(package);
        unpacker_.forget_tree();
        database_.reload_diversions();
    }

    std::vector<PackageFile> packages_;
    StageContext& context_;
    DependencyIndex index_;
    DpkgDatabase database_;
    Unpacker unpacker_;
    Configurer configurer_;
    Indices unpacked_;
    Indices configured_;
};

} // namespace

void install_packages(std::vector<PackageFile> packages, StageContext& context) {
    Installer(std::move(packages), context).run();
}

} // namespace kiln
