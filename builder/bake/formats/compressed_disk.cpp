// SPDX-License-Identifier: MIT
#include "bake/formats/compressed_disk.hpp"

#include "base/text.hpp"

#include <array>

namespace kiln {

void copy_disk(const WriteInput& input, const std::string& what, Sink& sink) {
    Job job = input.console.start(what);
    job.set_total(fs::file_size(input.base), Job::Unit::bytes);
    FileSource disk(input.base);
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    while (const std::size_t count = disk.read(buffer)) {
        sink.write(std::span(buffer).first(count));
        job.add(count);
    }
    sink.finish();
    job.finish();
}

} // namespace kiln
