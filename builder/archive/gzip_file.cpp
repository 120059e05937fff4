// SPDX-License-Identifier: MIT
#include "archive/gzip_file.hpp"

#include "archive/gzip.hpp"

#include <span>
#include <vector>

namespace kiln {

GzipFile gzip_file(const fs::path& plain, const fs::path& target, unsigned jobs, Job& progress) {
    FileSource source(plain);
    AtomicFile file(target);
    DigestSink digest;
    TeeSink both(file, digest);
    SingleMemberGzipSink compressed(both, jobs);
    progress.set_total(fs::file_size(plain), Job::Unit::bytes);
    std::vector<std::byte> buffer(GzipSink::kMemberSize);
    while (const std::size_t count = source.read(buffer)) {
        compressed.write(std::span(buffer).first(count));
        progress.add(count);
    }
    compressed.finish();
    file.commit();
    return {digest.size(), digest.digest()};
}

} // namespace kiln
