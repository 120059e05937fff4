// SPDX-License-Identifier: MIT
//
// An instance as a container, through the client program of Docker or Podman. DOCKER_HOST and
// similar variables have the same effect as for the client.
#pragma once

#include "base/console.hpp"
#include "run/instance.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Everything of a container that does not need the engine to be known.
struct ContainerPlan {
    std::string engine = "docker"; ///< the client program
    std::string name;              ///< of the container
    fs::path image;
    ContainerSpec spec;
    std::vector<PublishedPort> ports;
    std::string data;      ///< a volume's name or a directory; empty: none
    bool keep_data = true; ///< the volume is not ours to remove
    std::string network;   ///< empty: the engine's default
    bool keep = false;     ///< the container stays
    fs::path scratch;      ///< for what is made on the way
    Environment env;       ///< of the client program
};

/// What an image says about itself.
struct ContainerImage {
    std::string reference; ///< name or id
    std::vector<SuitePort> ports;
    std::vector<std::string> volumes;
};

/// The variables of the caller that a client program needs.
[[nodiscard]] Environment engine_environment(const Environment& caller);
/// The client program that is installed, "docker" before "podman". Throws Error.
[[nodiscard]] std::string find_engine();

/// Loads the archive or layout `image` into the engine.
[[nodiscard]] ContainerImage
load_container_image(const ContainerPlan& plan, const fs::path& image, ProcessRunner& runner);

/// `docker run ...`, without the program's name. Values of variables are not in it.
[[nodiscard]] std::vector<std::string>
run_arguments(const ContainerPlan& plan, const std::string& reference);

class Container final : public Instance {
  public:
    /// `loaded` is what load_container_image() gave for `plan.image`.
    Container(ContainerPlan plan, ContainerImage loaded, ProcessRunner& runner);
    ~Container() override;

    [[nodiscard]] InstanceKind kind() const override { return InstanceKind::container; }

    void start() override;
    void stop() override;
    void kill() override;
    void renew(const fs::path& image) override;
    [[nodiscard]] bool is_running() override;
    void remove() override;
    [[nodiscard]] std::string log() override;

    [[nodiscard]] std::string log_name() const override { return "log of the container"; }

    [[nodiscard]] std::string inside_script() const override;
    [[nodiscard]] std::vector<std::string> cleanup_hints() const override;

  private:
    [[nodiscard]] Command client(std::vector<std::string> args) const;

    ContainerPlan plan_;
    ContainerImage loaded_;
    ProcessRunner& runner_;
    bool exists_ = false;
    bool volume_exists_ = false;
};

} // namespace kiln
