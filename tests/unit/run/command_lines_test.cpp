// SPDX-License-Identifier: MIT
#include "run/container.hpp"
#include "run/machine/qemu_command.hpp"
#include "run/ssh.hpp"
#include "support/expect_error.hpp"
#include "support/fake_process_runner.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

bool has_pair(const Words& words, const std::string& first, const std::string& second) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] == first && words[i + 1] == second) {
            return true;
        }
    }
    return false;
}

TEST(EngineEnvironment, HasOfPathTheAbsoluteFoldersOnly) {
    const auto path_of = [](const Environment& caller) {
        return engine_environment(caller).at("PATH");
    };
    EXPECT_EQ(path_of({{"PATH", "/opt/bin:.::bin:/bin:"}}), "/opt/bin:/bin");
    EXPECT_EQ(path_of({{"PATH", "."}}), clean_environment().at("PATH"));
    EXPECT_EQ(path_of({}), clean_environment().at("PATH"));
}

QemuPlan machine() {
    QemuPlan plan;
    plan.folder = "/tmp/a,b";
    plan.memory_bytes = std::uint64_t{2} << 30U;
    plan.disks = {
        {"/tmp/a,b/root.qcow2", ImageFormat::qcow2, "", false, false},
        {"/srv/data.raw", ImageFormat::raw, "data", false, true},
        {"/tmp/a,b/seed.img", ImageFormat::raw, "seed", true, false}};
    plan.ports = {{"https", 443, 40123}, {"ssh", 22, 40022}};
    return plan;
}

TEST(QemuArguments, DescribeTheMachine) {
    const Words words = qemu_arguments(machine());
    EXPECT_TRUE(has_pair(words, "-m", "2048M"));
    EXPECT_TRUE(has_pair(words, "-accel", "tcg,thread=multi"));
    EXPECT_TRUE(has_pair(words, "-cpu", "max,la57=off,erms=off,fsrm=off,cx16=off"));
    EXPECT_TRUE(has_pair(
        words,
        "-blockdev",
        "driver=qcow2,node-name=disk0,read-only=off,cache.no-flush=on,file.driver=file,"
        "file.filename=/tmp/a,,b/root.qcow2"));
    EXPECT_TRUE(has_pair(
        words,
        "-blockdev",
        "driver=raw,node-name=disk1,read-only=off,cache.no-flush=off,file.driver=file,"
        "file.filename=/srv/data.raw"));
    EXPECT_TRUE(has_pair(words, "-device", "virtio-blk-pci,drive=disk1,bootindex=2,serial=data"));
    EXPECT_TRUE(has_pair(
        words,
        "-blockdev",
        "driver=raw,node-name=disk2,read-only=on,cache.no-flush=on,file.driver=file,"
        "file.filename=/tmp/a,,b/seed.img"));
    EXPECT_TRUE(has_pair(
        words,
        "-netdev",
        "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:40123-:443,hostfwd=tcp:127.0.0.1:40022-:"
        "22"));
    EXPECT_EQ(std::count(words.begin(), words.end(), "-smbios"), 0);
}

TEST(QemuArguments, AddWhatIsAskedFor) {
    QemuPlan plan = machine();
    plan.has_kvm = true;
    plan.outgoing = true;
    plan.firmware_code = "/ovmf/code.fd";
    plan.firmware_variables = "/tmp/vars.fd";
    plan.credentials = {{"tmpfiles.extra", "eA=="}};
    plan.has_shell_port = true;
    const Words words = qemu_arguments(plan);
    EXPECT_TRUE(has_pair(words, "-accel", "kvm"));
    EXPECT_TRUE(has_pair(words, "-cpu", "host"));
    EXPECT_TRUE(
        has_pair(words, "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/ovmf/code.fd"));
    EXPECT_TRUE(has_pair(
        words, "-smbios", "type=11,value=io.systemd.credential.binary:tmpfiles.extra=eA=="));
    EXPECT_TRUE(has_pair(words, "-device", "virtio-serial-pci,id=ports"));
    EXPECT_THAT(
        words, testing::Contains(HasSubstr("user,id=net,restrict=off,hostfwd=tcp:127.0.0.1")));
}

ContainerPlan container() {
    ContainerPlan plan;
    plan.name = "kiln-run.x";
    plan.image = "web.docker.tar";
    plan.spec.volume = "/data";
    plan.ports = {{"http", 80, 40080}};
    plan.data = "kiln-run.x-data";
    plan.keep_data = false;
    plan.env = {{"PATH", "/bin"}};
    return plan;
}

TEST(RunArguments, KeepValuesOffTheCommandLine) {
    ContainerPlan plan = container();
    plan.spec.environment = {{"PASSWORD", "secret"}};
    plan.spec.memory_bytes = std::uint64_t{1} << 30U;
    plan.spec.options = {"--read-only"};
    plan.spec.command = {"sleep", "infinity"};
    EXPECT_THAT(
        run_arguments(plan, "web:latest"),
        ElementsAre(
            "run",
            "-d",
            "--name",
            "kiln-run.x",
            "--label",
            "kiln.instance=kiln-run.x",
            "-p",
            "127.0.0.1:40080:80",
            "-v",
            "kiln-run.x-data:/data",
            "--memory",
            "1073741824",
            "-e",
            "PASSWORD",
            "--read-only",
            "web:latest",
            "sleep",
            "infinity"));
}

TEST(RunArguments, PublishNothingOnTheHostsNetwork) {
    ContainerPlan plan = container();
    plan.data.clear();
    plan.network = "host";
    EXPECT_THAT(
        run_arguments(plan, "web"),
        ElementsAre(
            "run",
            "-d",
            "--name",
            "kiln-run.x",
            "--label",
            "kiln.instance=kiln-run.x",
            "--network",
            "host",
            "web"));
}

/// What the client program was asked for, a line each.
Words lines_of(const test::FakeProcessRunner& runner) {
    Words out;
    for (const Command& command : runner.commands) {
        std::string line = command.program;
        for (const std::string& word : command.args) {
            line += " " + word;
        }
        out.push_back(line);
    }
    return out;
}

TEST(ContainerLife, LeavesNothingBehind) {
    test::FakeProcessRunner runner;
    {
        Container instance(container(), {"web", {}, {}}, runner);
        instance.start();
        instance.kill();
        instance.start();
        instance.remove();
        instance.remove();
    }
    EXPECT_THAT(
        lines_of(runner),
        ElementsAre(
            "docker volume create --label kiln.instance=kiln-run.x kiln-run.x-data",
            HasSubstr("docker run -d"),
            "docker kill kiln-run.x",
            "docker start kiln-run.x",
            "docker rm -f -v kiln-run.x",
            "docker volume rm -f kiln-run.x-data"));
}

TEST(ContainerLife, IsRenewedOnTheSameData) {
    test::FakeProcessRunner runner;
    Container instance(container(), {"web", {}, {}}, runner);
    instance.start();
    runner.commands.clear();
    instance.renew({});
    EXPECT_THAT(lines_of(runner), ElementsAre("docker rm -f kiln-run.x", HasSubstr("-data:/data")));
}

TEST(ContainerLife, StaysWhenItIsKept) {
    test::FakeProcessRunner runner;
    ContainerPlan plan = container();
    plan.keep = true;
    {
        Container instance(plan, {"web", {}, {}}, runner);
        instance.start();
        EXPECT_EQ(
            instance.cleanup_hints(),
            (Words{
                "run 'docker rm -f -v kiln-run.x' to stop and remove it",
                "run 'docker volume rm kiln-run.x-data' to remove its data"}));
    }
    EXPECT_EQ(runner.commands.size(), 2U);
}

/// An archive of docker save with one image of this name.
struct LoadableArchive {
    explicit LoadableArchive(const std::string& tag = "web:1") {
        const std::string manifest = "[{\"RepoTags\": [\"" + tag + "\"]}]";
        write_file(path, test::RawTar().file("manifest.json", manifest).bytes());
    }

    TempDir dir{temporary_root(), "kiln-archive"};
    fs::path path = dir.path() / "web.docker.tar";
};

TEST(ContainerImage, IsReadFromTheEngine) {
    const LoadableArchive archive;
    test::FakeProcessRunner runner;
    ProcessResult result;
    // One answer for both 'load' and 'image inspect': each reads only what it knows.
    result.output =
        "[{\"Config\": {\"ExposedPorts\": {\"443/tcp\": {}, \"53/udp\": {}, \"80\": {}},"
        " \"Volumes\": {\"/data\": {}}}}]";
    runner.answer("docker", result);
    try {
        static_cast<void>(load_container_image(container(), archive.path, runner));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "unexpected output of the container engine: no image name after 'load'");
    }
    EXPECT_THAT(lines_of(runner).at(0), testing::StartsWith("docker load -i /"));
}

/// Answers `load` and `image inspect` of an engine.
class FakeEngine final : public ProcessRunner {
  public:
    FakeEngine(std::string loaded, std::string config)
        : loaded_(std::move(loaded)), config_(std::move(config)) {}

    ProcessResult run(const Command& command) override {
        ProcessResult result;
        result.output = command.args.front() == "load" ? "Loaded image: " + loaded_ + "\n"
                                                       : "[{\"Config\": " + config_ + "}]";
        ++runs;
        return result;
    }

    int runs = 0;

  private:
    std::string loaded_;
    std::string config_;
};

std::string load_refusal(const std::string& loaded, const std::string& config = "{}") {
    const LoadableArchive archive;
    FakeEngine engine(loaded, config);
    return test::message_of(
        [&] { static_cast<void>(load_container_image(container(), archive.path, engine)); });
}

TEST(ContainerImage, IsNotLoadedUnderOddNames) {
    for (const char* tag : {"--privileged", "a b", "web:la\\u001btest", "../web"}) {
        const LoadableArchive archive(tag);
        FakeEngine engine("web", "{}");
        EXPECT_THAT(
            test::message_of([&] {
                static_cast<void>(load_container_image(container(), archive.path, engine));
            }),
            testing::EndsWith("is not a valid image reference"));
        EXPECT_EQ(engine.runs, 0);
    }
    const LoadableArchive archive;
    write_file(archive.path, test::RawTar().file("manifest.json", "[{}, {}]").bytes());
    FakeEngine engine("web", "{}");
    EXPECT_EQ(
        test::message_of(
            [&] { static_cast<void>(load_container_image(container(), archive.path, engine)); }),
        "the archive contains 2 images, expected one");
    EXPECT_EQ(engine.runs, 0);
}

TEST(ContainerImage, DecidesNothingOfTheCommandLine) {
    const LoadableArchive archive;
    FakeEngine engine(
        "web:1",
        R"({"ExposedPorts": {"443/tcp": {}, "53/udp": {}, "80": {}}, "Volumes": {"/d": {}}})");
    const ContainerImage image = load_container_image(container(), archive.path, engine);
    EXPECT_EQ(image.reference, "web:1");
    EXPECT_EQ(image.volumes, Words{"/d"});
    EXPECT_EQ(image.ports.size(), 2U);
    EXPECT_EQ(load_refusal("--privileged"), "'--privileged' is not a valid image reference");
    EXPECT_EQ(load_refusal("-v/:/host"), "'-v/:/host' is not a valid image reference");
    for (const char* volume : {"/d:shared", "/d,ro", "data", "/d\\u001b", "/x:/host"}) {
        EXPECT_THAT(
            load_refusal("web", "{\"Volumes\": {\"" + std::string(volume) + "\": {}}}"),
            testing::StartsWith("the image has an invalid volume '"));
    }
    for (const char* port : {"0/tcp", "65536/tcp", "x/tcp", "-p/tcp", "4294967376"}) {
        EXPECT_THAT(
            load_refusal("web", "{\"ExposedPorts\": {\"" + std::string(port) + "\": {}}}"),
            testing::StartsWith("the image has an invalid port '"));
    }
    EXPECT_EQ(
        load_refusal("web", "[]"),
        "'Config' of item 1 of output of image inspect must be an object");
}

TEST(SshConfig, UsesNothingOfTheUsersOwn) {
    const std::string text = ssh_config_text("/tmp/x", 40022);
    for (const char* line :
         {"Port 40022",
          "IdentityFile \"/tmp/x/key\"",
          "IdentitiesOnly yes",
          "IdentityAgent none",
          "UserKnownHostsFile /dev/null",
          "BatchMode yes"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

} // namespace
} // namespace kiln
