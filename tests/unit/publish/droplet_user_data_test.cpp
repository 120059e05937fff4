// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "firstrun/answers/answers_yaml.hpp"
#include "publish/droplet/reachable.hpp"
#include "publish/droplet/user_data.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string user_data(const std::string& text, const std::vector<AnswerFile>& more = {}) {
    return answers_as_user_data("answers.yaml", text, more);
}

/// The lines below "N answers are not valid".
std::vector<std::string>
faults_of(const std::string& text, const std::vector<AnswerFile>& more = {}) {
    try {
        static_cast<void>(user_data(text, more));
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        return error.details();
    }
    return {};
}

TEST(DropletUserData, IsACloudConfigThatFirstRunReads) {
    const std::string text = user_data(
        "pause:\n  hostname: Pause.Example.ORG\n  authorized_keys: [ssh-ed25519 AAAA me, "
        "ssh-ed25519 BBBB you]\n  admin_password: weak\n",
        {{"admin_password", "pw.txt", "s3cret: #1\n"}});
    EXPECT_TRUE(text.starts_with("#cloud-config\npause:\n  hostname: \"pause.example.org\"\n"))
        << text;
    firstrun::Faults faults;
    const auto read =
        firstrun::parse_answers("user-data", text, firstrun::OtherKeys::ignored, faults);
    EXPECT_TRUE(faults.empty());
    ASSERT_EQ(read.size(), 3U);
    EXPECT_EQ(read.at(1).name, "admin_password");
    EXPECT_EQ(read.at(1).value, "s3cret: #1");
    EXPECT_EQ(read.at(2).value, "ssh-ed25519 AAAA me\nssh-ed25519 BBBB you");
}

TEST(DropletUserData, NeedsNoAnswers) {
    EXPECT_EQ(user_data(""), "#cloud-config\npause: {}\n");
    EXPECT_EQ(user_data("#cloud-config\npause:\n"), "#cloud-config\npause: {}\n");
}

TEST(DropletUserData, NamesEveryFaultAndNoSecret) {
    const auto faults = faults_of(
        "pause:\n  hostnam: a.example.org\n  mail: relais\n",
        {{"admin_password", "pw.txt", std::string(80, 'p')}, {"admin_user", "id.txt", "12"}});
    EXPECT_EQ(faults.size(), 4U);
    const std::string all = join(faults, "\n");
    EXPECT_THAT(
        all, HasSubstr("answers.yaml:2:3: unknown key 'hostnam' (did you mean 'hostname'?)"));
    EXPECT_THAT(all, HasSubstr("answers.yaml:3:9: mail 'relais' "));
    EXPECT_THAT(all, HasSubstr("pw.txt: admin_password "));
    EXPECT_THAT(all, HasSubstr("id.txt: admin_user '12' "));
    EXPECT_THAT(all, Not(HasSubstr("ppp")));
}

TEST(DropletUserData, KnowsTheRulesBetweenAnswers) {
    EXPECT_THAT(
        faults_of("pause:\n  certificate: acme\n"),
        ElementsAre("answers.yaml:2:16: certificate 'acme' needs the answer 'acme_email'"));
    EXPECT_THAT(
        faults_of("users: []\n"),
        ElementsAre("answers.yaml:1:1: unknown key 'users' (answers go below 'pause:')"));
}

TEST(DropletUserData, TakesUtf8Only) {
    EXPECT_EQ(
        test::message_of(
            [] { static_cast<void>(user_data("pause: {hostname: \xff}")); },
            ExitCode::invalid_recipe),
        "'answers.yaml' is not UTF-8 text");
}

/// A server on loopback that says one thing to one client.
class SayingServer {
  public:
    explicit SayingServer(std::string text)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(where);
        auto* const generic = reinterpret_cast<sockaddr*>(&where);
        EXPECT_EQ(::bind(fd_, generic, size), 0);
        EXPECT_EQ(::listen(fd_, 1), 0);
        EXPECT_EQ(::getsockname(fd_, generic, &size), 0);
        port_ = ntohs(where.sin_port);
        thread_ = std::thread([this, text = std::move(text)] {
            const int client = ::accept(fd_, nullptr, nullptr);
            EXPECT_EQ(
                ::send(client, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
            ::close(client);
        });
    }

    SayingServer(const SayingServer&) = delete;
    SayingServer& operator=(const SayingServer&) = delete;

    ~SayingServer() {
        thread_.join();
        ::close(fd_);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    int fd_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST(DropletProbe, ReadsTheFirstLineOfAServer) {
    const SayingServer server("SSH-2.0-OpenSSH_9.2p1\r\nmore");
    EXPECT_EQ(server_banner("127.0.0.1", server.port()), "SSH-2.0-OpenSSH_9.2p1");
}

TEST(DropletProbe, TakesSilenceAndRefusalForNothing) {
    std::uint16_t port = 0;
    {
        const SayingServer server("");
        port = server.port();
        EXPECT_EQ(server_banner("127.0.0.1", port), "");
    }
    EXPECT_EQ(server_banner("127.0.0.1", port), "");
    EXPECT_EQ(server_banner("no address", 22), "");
}

TEST(DropletProbe, GivesTheStatusOfASite) {
    test::FakeHttpClient http;
    http.answer("https://192.0.2.1/status", {.status = 200, .body = "up"});
    http.answer("https://192.0.2.1/", {.status = 301});
    const DropletProbe probe = network_probe(http);
    EXPECT_EQ(probe.status("https://192.0.2.1/status"), 200);
    EXPECT_EQ(probe.status("https://192.0.2.1/"), 301);
    EXPECT_EQ(probe.status("https://192.0.2.1/other"), 404);
}

} // namespace
} // namespace kiln
