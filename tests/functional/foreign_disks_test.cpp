// SPDX-License-Identifier: MIT
//
// Disks that name files of the host, made by qemu-img itself, and a real QEMU that must not open
// them: what it has open is seen in /proc.
#include "base/process/background_process.hpp"
#include "disk/foreign_disk.hpp"
#include "run/machine/machine.hpp"
#include "support/expect_error.hpp"
#include "support/make_disk.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace kiln {
namespace {

using namespace test;
using testing::Contains;
using testing::EndsWith;
using testing::Not;

class ForeignDisks : public testing::Test {
  protected:
    void SetUp() override {
        if (find_program(kQemu).empty() || find_program("qemu-img").empty()) {
            GTEST_SKIP() << "needs qemu-system-x86 and qemu-utils";
        }
        write_file(victim(), std::string(1 << 20, 'v'));
    }

    void TearDown() override {
        if (!IsSkipped()) {
            EXPECT_EQ(read_text_file(victim()), std::string(1 << 20, 'v'));
        }
    }

    [[nodiscard]] fs::path victim() const { return dir_.path() / "victim"; }

    void qemu_img(std::vector<std::string> args) {
        static_cast<void>(runner_.run_checked({"qemu-img", std::move(args)}));
    }

    /// A qcow2 file whose data is in the victim.
    fs::path with_data_file(const std::string& name) {
        const fs::path path = dir_.path() / name;
        const std::string decoy = (dir_.path() / "decoys").string();
        qemu_img(
            {"create",
             "-q",
             "-f",
             "qcow2",
             "-o",
             "data_file=" + decoy + ",data_file_raw=on",
             path.string(),
             "1M"});
        patch_file(path, decoy.substr(decoy.size() - 6), "victim");
        return path;
    }

    /// The files that a program has open.
    static std::vector<std::string> files_of(pid_t pid) {
        std::vector<std::string> out;
        const fs::path folder = fs::path("/proc") / std::to_string(pid) / "fd";
        for (const auto& entry : fs::directory_iterator(folder)) {
            std::error_code gone;
            out.push_back(fs::read_symlink(entry.path(), gone).string());
        }
        return out;
    }

    /// What QEMU has open once it has opened `file`, by the command line that kiln makes.
    std::vector<std::string>
    opened_by_qemu(const std::vector<QemuDisk>& disks, const fs::path& file) {
        QemuPlan plan;
        plan.folder = dir_.path();
        plan.memory_bytes = std::uint64_t{64} << 20U;
        plan.disks = disks;
        BackgroundProcess qemu({std::string(kQemu), qemu_arguments(plan)}, dir_.path() / "log");
        constexpr int kTries = 300;
        for (int i = 0; i < kTries; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            if (qemu.exit_status()) {
                break;
            }
            // Its control socket is made after the disks were opened.
            auto files = files_of(qemu.pid());
            if (fs::exists(plan.qmp_socket()) &&
                std::find(files.begin(), files.end(), file.string()) != files.end()) {
                return files;
            }
        }
        ADD_FAILURE() << read_text_file(dir_.path() / "log");
        return {};
    }

    MachinePlan plan(const fs::path& image) {
        MachinePlan out;
        out.image = image;
        out.format = detect_disk_format(image);
        out.spec.inside = MachineShell::none;
        out.is_emulated = true;
        out.folder = dir_.path() / "vm";
        return out;
    }

    SystemProcessRunner runner_;
    TempDir dir_{temporary_root(), "kiln-disks"};
};

TEST_F(ForeignDisks, OfAGuestAreRawForQemuWhateverTheyHold) {
    const fs::path data = with_data_file("data.raw");
    const auto files = opened_by_qemu({{data, ImageFormat::raw, "data", false, true}}, data);
    EXPECT_THAT(files, Not(Contains(victim().string())));
    // The file is a real one: who probes it gets the victim.
    EXPECT_THAT(
        runner_.run_checked({"qemu-img", {"info", data.string()}}),
        testing::HasSubstr("data file: " + victim().string()));
}

TEST_F(ForeignDisks, ThatNameOtherFilesDoNotStart) {
    const fs::path image = with_data_file("image.qcow2");
    EXPECT_EQ(
        message_of([&] { Machine(plan(image), runner_); }),
        "'" + image.string() + "' refers to another file (external data file)");
    const fs::path overlay = dir_.path() / "overlay.qcow2";
    qemu_img(
        {"create", "-q", "-f", "qcow2", "-F", "raw", "-b", victim().string(), overlay.string()});
    EXPECT_EQ(
        message_of([&] { Machine(plan(overlay), runner_); }),
        "'" + overlay.string() + "' refers to another file (backing file)");
    const fs::path good = dir_.path() / "good.raw";
    write_file(good, std::string(1 << 20, '\0'));
    MachinePlan with_data = plan(good);
    with_data.data = with_data_file("data.img");
    EXPECT_THAT(
        message_of([&] { Machine(with_data, runner_); }),
        EndsWith("has a qcow2 header, but the file name of a raw disk"));
    with_data.data = with_data_file("data.qcow2");
    EXPECT_THAT(
        message_of([&] { Machine(with_data, runner_); }),
        EndsWith("refers to another file (external data file)"));
}

TEST_F(ForeignDisks, NamedLikeProtocolsAreFiles) {
    const fs::path before = fs::current_path();
    fs::current_path(dir_.path());
    const std::string name = "nbd:localhost:1,file=victim.qcow2";
    qemu_img({"create", "-q", "-f", "qcow2", disk_argument(name), "1M"});
    {
        MachinePlan wanted = plan(name);
        wanted.data = "json:{},data";
        Machine machine(wanted, runner_);
        EXPECT_EQ(fs::file_size("json:{},data"), std::uintmax_t{8} << 30U);
    }
    const fs::path image = dir_.path() / name;
    const auto files = opened_by_qemu({{image, ImageFormat::qcow2, "", true, false}}, image);
    EXPECT_THAT(files, Not(Contains(victim().string())));
    fs::current_path(before);
}

TEST_F(ForeignDisks, OfOneKindOrTheOtherAreMadeByName) {
    const fs::path good = dir_.path() / "good.raw";
    write_file(good, std::string(1 << 20, '\0'));
    for (const auto& [name, format] : std::vector<std::pair<std::string, ImageFormat>>{
             {"d.qcow2", ImageFormat::qcow2}, {"d.img", ImageFormat::raw}}) {
        MachinePlan wanted = plan(good);
        wanted.data = dir_.path() / name;
        wanted.spec.data_bytes = 1 << 20;
        Machine(wanted, runner_);
        EXPECT_EQ(detect_disk_format(wanted.data), format);
        EXPECT_EQ(require_plain_disk(wanted.data, format), std::uint64_t{1} << 20U);
    }
}

TEST_F(ForeignDisks, ThatPrintForEverFillNoMemory) {
    const fs::path good = dir_.path() / "good.raw";
    write_file(good, std::string(1 << 20, '\0'));
    Machine machine(plan(good), runner_);
    const fs::path console = dir_.path() / "vm/console.log";
    write_file(console, "begin\n");
    fs::resize_file(console, std::uintmax_t{100} << 30U); // a hole, as long as a talkative guest
    {
        const UniqueFd fd = open_file(console, O_WRONLY | O_APPEND);
        write_all(fd.get(), as_byte_span("\x1b[31mend\n"), console);
    }
    EXPECT_EQ(machine.log(), "end\n"); // the hole's zeros are no text
}

} // namespace
} // namespace kiln
