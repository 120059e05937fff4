// SPDX-License-Identifier: MIT
//
// Whether virtual machines that this process starts can have KVM. Knows nothing of who runs them.
#pragma once

#include <string_view>

namespace kiln {

/// True when the flags in this text of /proc/cpuinfo have Intel's vmx or AMD's svm: the processor
/// itself runs machines.
[[nodiscard]] bool processor_runs_machines(std::string_view cpuinfo);

/// True when /dev/kvm makes machines for us, on a processor that runs them. Without the latter KVM
/// may be there all the same (kvm-pvm, on hosts that are guests themselves), but for kernels made
/// for it: Debian's is still while it boots, with the machine's processor busy for ever.
[[nodiscard]] bool has_kvm();

} // namespace kiln
