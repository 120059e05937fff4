// SPDX-License-Identifier: MIT
//
// Stands in for libFuzzer: runs the target once on every file of the directories given.
#include "base/io/file.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
    std::size_t done = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : kiln::fs::recursive_directory_iterator(arguments[i])) {
            if (entry.is_regular_file()) {
                const std::string text = kiln::read_text_file(entry.path());
                const std::vector<std::uint8_t> bytes(text.begin(), text.end());
                LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
                ++done;
            }
        }
    }
    std::printf("%zu inputs\n", done);
    return done > 0 ? 0 : 1;
}
