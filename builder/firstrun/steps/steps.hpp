// SPDX-License-Identifier: MIT
//
// The steps of a run. Each says on its own whether it is needed, by what it finds on the machine
// and on the data volume, and why; apply and plan use the same answer. Each can be killed at any
// place and run again.
#pragma once

#include "firstrun/answers/answers.hpp"
#include "firstrun/host/accounts.hpp"
#include "firstrun/host/host.hpp"
#include "firstrun/host/image.hpp"
#include "firstrun/host/report.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

struct Context {
    Host& host;
    const Answers& answers;
    const Accounts& accounts;
    Image image;
    Mode mode;
    Report& report;

    /// The volume was last used by another image, or by none.
    [[nodiscard]] bool is_adopting() const;
};

/// Why a step has to do something; empty when it has nothing to do.
using Reasons = std::vector<std::string>;

enum class Where { everywhere, machine };

struct Step {
    std::string_view name;
    Where where;
    std::string_view summary;
    Reasons (*needed)(Context&);
    void (*apply)(Context&);
};

/// In their order, all but the volume (which comes before the remembered answers can be read).
[[nodiscard]] std::span<const Step> steps();

Reasons volume_needed(Context&);
void apply_volume(Context&);
Reasons database_volume_needed(Context&);
void apply_database_volume(Context&);

Reasons directories_needed(Context&);
void apply_directories(Context&);
Reasons hostname_needed(Context&);
void apply_hostname(Context&);
Reasons ssh_keys_needed(Context&);
void apply_ssh_keys(Context&);
Reasons mail_needed(Context&);
void apply_mail(Context&);
Reasons signing_key_needed(Context&);
void apply_signing_key(Context&);
Reasons private_config_needed(Context&);
void apply_private_config(Context&);
Reasons database_needed(Context&);
void apply_database(Context&);
Reasons git_needed(Context&);
void apply_git(Context&);
Reasons index_files_needed(Context&);
void apply_index_files(Context&);
Reasons certificate_needed(Context&);
void apply_certificate(Context&);
Reasons cron_needed(Context&);
void apply_cron(Context&);
Reasons finish_needed(Context&);
void apply_finish(Context&);

/// Adds "NAME is missing" unless it exists.
void need_file(const Context& context, Reasons& reasons, const fs::path& path);

} // namespace kiln::firstrun
