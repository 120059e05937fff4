// SPDX-License-Identifier: MIT
//
// tree_manifest DIR: the manifest of a directory on stdout.
#include "base/io/file.hpp"
#include "support/scan_tree.hpp"

#include <unistd.h>

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: tree_manifest DIR\n";
        return 2;
    }
    try {
        using namespace kiln;
        FdSink out(STDOUT_FILENO, "stdout");
        write_manifest(test::scan_tree(argv[1], test::Contents::digested), out);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "tree_manifest: " << error.what() << '\n';
        return 1;
    }
}
