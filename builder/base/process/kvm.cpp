// SPDX-License-Identifier: MIT
#include "base/process/kvm.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace kiln {

bool processor_runs_machines(std::string_view cpuinfo) {
    for (const std::string& line : split_lines(cpuinfo)) {
        if (line.starts_with("flags")) {
            const std::vector<std::string> words = split(line, ' ');
            return std::any_of(words.begin(), words.end(), [](const std::string& word) {
                return word == "vmx" || word == "svm";
            });
        }
    }
    return false;
}

bool has_kvm() {
    const UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!kvm.is_open()) {
        return false;
    }
    const UniqueFd machine(::ioctl(kvm.get(), KVM_CREATE_VM, 0));
    return machine.is_open() && processor_runs_machines(read_text_file("/proc/cpuinfo"));
}

} // namespace kiln
