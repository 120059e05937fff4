// SPDX-License-Identifier: MIT
#include "cli/terminal_output.hpp"

#include "base/text.hpp"

namespace kiln {

void TerminalOutput::Buffer::pass_on() {
    below_ << printable_lines(pending_);
    pending_.clear();
}

TerminalOutput::Buffer::int_type TerminalOutput::Buffer::overflow(int_type c) {
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
        const char text = traits_type::to_char_type(c);
        xsputn(&text, 1);
    }
    return below_ ? traits_type::not_eof(c) : traits_type::eof();
}

/// Whole lines at once, so that no character is looked at in halves.
std::streamsize TerminalOutput::Buffer::xsputn(const char* text, std::streamsize size) {
    pending_.append(text, static_cast<std::size_t>(size));
    constexpr std::size_t kMuch = 65536;
    if (pending_.ends_with('\n') || pending_.size() > kMuch) {
        pass_on();
    }
    return below_ ? size : 0;
}

int TerminalOutput::Buffer::sync() {
    pass_on();
    below_.flush();
    return below_ ? 0 : -1;
}

TerminalOutput::TerminalOutput(std::ostream& below) : std::ostream(nullptr), buffer_(below) {
    rdbuf(&buffer_);
}

TerminalOutput::~TerminalOutput() {
    flush();
}

} // namespace kiln
