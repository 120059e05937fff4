// SPDX-License-Identifier: MIT
//
// A machine for first-run in a temporary directory: programs are noted and answer by their names.
#pragma once

#include "base/io/file.hpp"
#include "firstrun/commands/app.hpp"
#include "firstrun/host/host.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace kiln::firstrun::test {

class FakeServer final : public Server {
  public:
    bool is_running() override { return true; }

    int stop(std::chrono::seconds) override { return 0; }
};

class FakeLauncher final : public Launcher {
  public:
    using Answer = std::function<ProcessResult(const Command&)>;

    ProcessResult run(const Command& command, const Account*) override {
        commands.push_back(command);
        const auto it = answers.find(command.program);
        return it == answers.end() ? ProcessResult() : it->second(command);
    }

    std::unique_ptr<Server>
    start(const Command& command, const Account*, const std::filesystem::path&) override {
        commands.push_back(command);
        return std::make_unique<FakeServer>();
    }

    std::map<std::string, Answer> answers;
    std::vector<Command> commands;
};

class FakeHost {
  public:
    FakeHost() : folder_(temporary_root(), "first-run-test") {
        // Everybody is the user who runs the tests, so that no change of owner is needed.
        std::string passwd = fmt::format("root:x:{0}:{1}::/root:/bin/sh\n", ::getuid(), ::getgid());
        for (const char* name : {"pause", "unsafe", "mysql"}) {
            passwd += fmt::format("{}:x:{}:{}::/home/x:/bin/sh\n", name, ::getuid(), ::getgid());
        }
        put("/etc/passwd", passwd);
        put("/etc/group", "");
    }

    void put(const std::string& path, std::string_view text) const {
        const fs::path place = folder_.path() / path.substr(1);
        fs::create_directories(place.parent_path());
        write_file(place, text);
    }

    [[nodiscard]] fs::path place(const std::string& path) const {
        return folder_.path() / path.substr(1);
    }

    Host host() { return {folder_.path(), launcher, Operations(env)}; }

    /// Runs the real command line; what it says is in out and err.
    int run(const std::vector<std::string>& args) {
        std::ostringstream out_stream;
        std::ostringstream err_stream;
        const int code =
            run_first_run(args, {folder_.path().string(), launcher, env, out_stream, err_stream});
        out = out_stream.str();
        err = err_stream.str();
        return code;
    }

    FakeLauncher launcher;
    Environment env;
    std::string out;
    std::string err;

  private:
    TempDir folder_;
};

} // namespace kiln::firstrun::test
