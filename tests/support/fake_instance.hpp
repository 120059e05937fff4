// SPDX-License-Identifier: MIT
//
// An instance that is nothing but what a test says it is.
#pragma once

#include "run/instance.hpp"

#include <string>
#include <vector>

namespace kiln::test {

class FakeInstance final : public Instance {
  public:
    [[nodiscard]] InstanceKind kind() const override {
        return is_machine ? InstanceKind::vm : InstanceKind::container;
    }

    void start() override { called.emplace_back("start"); }

    void stop() override { called.emplace_back("stop"); }

    void kill() override { called.emplace_back("kill"); }

    void renew(const fs::path& image) override { called.push_back("renew " + image.string()); }

    [[nodiscard]] bool is_running() override { return is_on; }

    bool open_inside() override { return ++inside_tries >= inside_opens_at; }

    void remove() override { called.emplace_back("remove"); }

    [[nodiscard]] std::string log() override { return text; }

    [[nodiscard]] std::string log_name() const override { return "log"; }

    [[nodiscard]] std::string inside_script() const override { return script; }

    ProcessResult
    run_inside(const std::string& words, const std::string& input, std::chrono::seconds) override {
        called.push_back("inside " + words + " <" + input);
        return {5, "out\n", "err\n", false};
    }

    [[nodiscard]] std::vector<std::string> cleanup_hints() const override { return {}; }

    bool is_machine = false;
    bool is_on = true;
    int inside_opens_at = 1;
    int inside_tries = 0;
    std::string text;
    std::string script;
    std::vector<std::string> called;
};

} // namespace kiln::test
