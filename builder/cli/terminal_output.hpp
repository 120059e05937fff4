// SPDX-License-Identifier: MIT
//
// Standard output when it is a terminal: names in images, registries and recipes may hold control
// characters, which become visible escapes on it. Into files and pipes everything goes as it is.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace kiln {

class TerminalOutput final : public std::ostream {
  public:
    /// `below` must outlive this.
    explicit TerminalOutput(std::ostream& below);
    TerminalOutput(const TerminalOutput&) = delete;
    TerminalOutput& operator=(const TerminalOutput&) = delete;
    ~TerminalOutput() override;

  private:
    class Buffer final : public std::streambuf {
      public:
        explicit Buffer(std::ostream& below) : below_(below) {}

      protected:
        int_type overflow(int_type c) override;
        std::streamsize xsputn(const char* text, std::streamsize size) override;
        int sync() override;

      private:
        void pass_on();

        std::ostream& below_;
        std::string pending_;
    };

    Buffer buffer_;
};

} // namespace kiln
