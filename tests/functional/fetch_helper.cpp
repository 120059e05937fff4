// SPDX-License-Identifier: MIT
// A second kiln for tests of the shared pool: fetches one input and ends.
//     kiln_fetch_helper POOL URL SHA256 SIZE
#include "base/error.hpp"
#include "base/text.hpp"
#include "inputs/pool.hpp"

#include <iostream>

int main(int argc, char** argv) {
    using namespace kiln;
    const std::vector<std::string> args(argv + 1, argv + argc);
    Console console(std::cerr, {});
    try {
        const PoolInput input{
            "input",
            Digest::parse(args.at(2)).value(),
            parse_unsigned(args.at(3)).value(),
            {args.at(1)}};
        CurlHttpClient client;
        Pool(args.at(0)).fetch({input}, client, {}, console);
    } catch (const Error& error) {
        console.report(error);
        return static_cast<int>(error.exit_code());
    }
    return 0;
}
