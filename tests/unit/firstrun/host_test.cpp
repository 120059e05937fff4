// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "fake_host.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

namespace kiln::firstrun {

namespace {

using test::FakeHost;

Owner me() {
    return {::getuid(), ::getgid()};
}

TEST(Host, WritesWholeFilesWithTheirMode) {
    FakeHost fake;
    Host host = fake.host();
    fs::create_directories(fake.place("/d"));
    host.write_file("/d/f", "text", me(), 0640);
    EXPECT_EQ(host.read("/d/f"), "text");
    EXPECT_EQ(host.look("/d/f")->mode, 0640U);
    EXPECT_EQ(host.list("/d"), std::vector<std::string>{"f"});
    EXPECT_EQ(host.operation_count(), 2U);
}

TEST(Host, WritesThroughNoLink) {
    FakeHost fake;
    Host host = fake.host();
    fake.put("/d/victim", "untouched");
    // What a process of another user might have put in the way.
    fs::create_symlink("victim", fake.place("/d/.f.new"));
    fs::create_symlink("victim", fake.place("/d/f"));
    host.write_file("/d/f", "text", me(), 0600);
    EXPECT_EQ(host.read("/d/victim"), "untouched");
    EXPECT_EQ(host.look("/d/f")->type, FileInfo::Type::file);
}

TEST(Host, MakesDirectoriesAndMendsTheirModes) {
    FakeHost fake;
    Host host = fake.host();
    host.make_directory("/d", me(), 0700);
    EXPECT_EQ(host.look("/d")->mode, 0700U);
    host.make_directory("/d", me(), 0711);
    EXPECT_EQ(host.look("/d")->mode, 0711U);
    fs::create_directory_symlink("d", fake.place("/link"));
    EXPECT_THROW(host.make_directory("/link", me(), 0755), SystemError);
}

TEST(Host, ReplacesLinksAtOnce) {
    FakeHost fake;
    Host host = fake.host();
    host.link("one", "/l");
    host.link("two", "/l");
    EXPECT_EQ(host.link_target("/l"), "two");
    EXPECT_EQ(host.link_target("/etc/passwd"), "");
}

TEST(Host, ExchangesTrees) {
    FakeHost fake;
    Host host = fake.host();
    fake.put("/a/one", "");
    fake.put("/b/two", "");
    host.exchange("/a", "/b");
    EXPECT_EQ(host.list("/a"), std::vector<std::string>{"two"});
    host.remove_tree("/a");
    EXPECT_FALSE(host.exists("/a"));
    host.remove("/nothing");
}

TEST(Host, ReadsNothingWhereNothingIs) {
    FakeHost fake;
    Host host = fake.host();
    EXPECT_FALSE(host.read("/nothing"));
    EXPECT_FALSE(host.read("/etc")); // a directory
    EXPECT_TRUE(host.list("/nothing").empty());
    EXPECT_FALSE(host.look("/etc/passwd/x"));
}

TEST(Operations, EndTheProcessBeforeTheChosenOne) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        Operations operations(Environment{{"FIRST_RUN_KILL_AT", "2"}});
        operations.next("one");
        operations.next("two");
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

} // namespace

} // namespace kiln::firstrun
