// SPDX-License-Identifier: MIT
#include "perl/prerequisites.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace kiln {

namespace {

constexpr std::string_view phase_verb(NeedPhase phase) {
    switch (phase) {
    case NeedPhase::configure:
        return "to be configured";
    case NeedPhase::build:
        return "to be built";
    default:
        return "to run";
    }
}

std::string main_module(const std::string& distribution) {
    return join(split(distribution, '-'), "::");
}

class Resolver {
  public:
    Resolver(
        const std::vector<BundleMember>& members,
        const PerlModules& core,
        const std::string& perl_version,
        const std::vector<WantedModule>& wanted)
        : members_(members), core_(core), perl_version_(perl_version), wanted_(wanted) {}

    BuildOrder run() {
        index_providers();
        for (std::size_t i = 0; i < members_.size(); ++i) {
            out_.needs.push_back(needs_of(i));
        }
        for (const WantedModule& wanted : wanted_) {
            static_cast<void>(provider_of(wanted.by, wanted.need));
        }
        put_in_order();
        return std::move(out_);
    }

  private:
    struct Provider {
        std::size_t member;
        std::string version;
        bool by_name; ///< its distribution is called like the module
    };

    void index_providers() {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            by_name_[members_[i].name] = i;
            const std::string main = main_module(members_[i].distribution.name);
            for (const auto& [module, version] : members_[i].distribution.modules) {
                const auto [place, is_new] =
                    providers_.try_emplace(module, Provider{i, version, module == main});
                if (!is_new && module == main) {
                    place->second = {i, version, true};
                }
            }
        }
    }

    std::vector<std::size_t> needs_of(std::size_t member) {
        std::set<std::size_t> out;
        for (const ModuleNeed& need : members_[member].distribution.needs) {
            if (const auto provider = provider_of(members_[member].name, need);
                provider && *provider != member) {
                out.insert(*provider);
            }
        }
        for (const std::string& name : members_[member].also_needs) {
            if (const auto found = by_name_.find(name); found == by_name_.end()) {
                out_.faults.push_back(fmt::format(
                    "{} requires {}, which is not in the bundle", members_[member].name, name));
            } else {
                out.insert(found->second);
            }
        }
        return {out.begin(), out.end()};
    }

    /// The member that satisfies a need; nothing when perl itself does, or after a fault.
    std::optional<std::size_t> provider_of(const std::string& who, const ModuleNeed& need) {
        if (need.module == "perl") {
            check_version(who, need, "perl", perl_version_);
            return std::nullopt;
        }
        if (const auto found = providers_.find(need.module); found != providers_.end()) {
            const BundleMember& provider = members_[found->second.member];
            check_version(who, need, provider.name, found->second.version);
            return found->second.member;
        }
        if (const auto found = core_.find(need.module); found != core_.end()) {
            check_version(who, need, "perl", found->second);
            return std::nullopt;
        }
        if (std::find(out_.missing.begin(), out_.missing.end(), need.module) ==
            out_.missing.end()) {
            out_.missing.push_back(need.module);
        }
        out_.faults.push_back(fmt::format(
            "{} requires {}{} {}, which no distribution in the bundle provides",
            who,
            need.module,
            need.range.is_any() ? "" : " " + need.range.text(),
            phase_verb(need.phase)));
        return std::nullopt;
    }

    /// A version that cannot be read without running code is let pass.
    void check_version(
        const std::string& who,
        const ModuleNeed& need,
        const std::string& provider,
        const std::string& version) {
        const auto parsed = PerlVersion::parse(version);
        if (!version.empty() && parsed && !need.range.holds(*parsed)) {
            out_.faults.push_back(fmt::format(
                "{} requires {} {} {}, but {} has {}",
                who,
                need.module,
                need.range.text(),
                phase_verb(need.phase),
                provider,
                version));
        }
    }

    void put_in_order() {
        std::vector<std::size_t> missing(members_.size()); // needs that are not in order yet
        std::vector<std::vector<std::size_t>> needed_by(members_.size());
        std::set<std::pair<std::string, std::size_t>> ready;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            missing[i] = out_.needs[i].size();
            for (const std::size_t need : out_.needs[i]) {
                needed_by[need].push_back(i);
            }
            if (missing[i] == 0) {
                ready.emplace(members_[i].name, i);
            }
        }
        while (!ready.empty()) {
            const std::size_t next = ready.extract(ready.begin()).value().second;
            out_.order.push_back(next);
            for (const std::size_t user : needed_by[next]) {
                if (--missing[user] == 0) {
                    ready.emplace(members_[user].name, user);
                }
            }
        }
        if (out_.order.size() < members_.size()) {
            report_circle(missing);
        }
    }

    /// Members that are left all need one that is left: going from need to need runs into a circle.
    void report_circle(const std::vector<std::size_t>& missing) {
        std::size_t at = 0;
        while (missing[at] == 0) {
            ++at;
        }
        std::vector<std::size_t> way;
        while (std::find(way.begin(), way.end(), at) == way.end()) {
            way.push_back(at);
            at = *std::find_if(out_.needs[at].begin(), out_.needs[at].end(), [&](std::size_t need) {
                return missing[need] > 0;
            });
        }
        way.erase(way.begin(), std::find(way.begin(), way.end(), at));
        std::string text;
        for (const std::size_t member : way) {
            text += members_[member].name + " -> ";
        }
        out_.faults.push_back(fmt::format(
            "circular dependency between distributions: {}{}", text, members_[at].name));
    }

    const std::vector<BundleMember>& members_;
    const PerlModules& core_;
    const std::string& perl_version_;
    const std::vector<WantedModule>& wanted_;
    std::map<std::string, Provider, std::less<>> providers_;
    std::map<std::string, std::size_t> by_name_;
    BuildOrder out_;
};

} // namespace

BuildOrder resolve_prerequisites(
    const std::vector<BundleMember>& members,
    const PerlModules& core,
    const std::string& perl_version,
    const std::vector<WantedModule>& wanted) {
    return Resolver(members, core, perl_version, wanted).run();
}

} // namespace kiln
