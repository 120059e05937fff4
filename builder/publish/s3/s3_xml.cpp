// SPDX-License-Identifier: MIT
#include "publish/s3/s3_xml.hpp"

#include "base/handle.hpp"
#include "base/text.hpp"

#include <expat.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace kiln {

namespace {

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostElements = 20'000;

using Parser = Handle<std::remove_pointer_t<XML_Parser>, XML_ParserFree>;

/// What expat's callbacks build. They make no calls that can throw anything but bad_alloc, which
/// kiln does not survive anywhere.
class TreeBuilder {
  public:
    explicit TreeBuilder(XML_Parser parser) : parser_(parser) {
        XML_SetUserData(parser_, this);
        XML_SetElementHandler(parser_, on_begin, on_end);
        XML_SetCharacterDataHandler(parser_, on_text);
        XML_SetStartDoctypeDeclHandler(parser_, on_doctype);
    }

    [[nodiscard]] XmlElement take() { return std::move(root_.children.front()); }

  private:
    static void on_begin(void* self, const XML_Char* name, const XML_Char** /*attributes*/) {
        auto* builder = static_cast<TreeBuilder*>(self);
        if (builder->open_.size() > kDeepest || ++builder->elements_ > kMostElements) {
            builder->refuse();
            return;
        }
        std::string_view plain(name);
        plain.remove_prefix(std::min(plain.find(':') + 1, plain.size())); // npos + 1 is 0
        XmlElement& parent = *builder->open_.back();
        parent.children.push_back({std::string(plain), {}});
        // Siblings are only added when this one is closed, so that its address stays.
        builder->open_.push_back(&parent.children.back());
    }

    static void on_end(void* self, const XML_Char* /*name*/) {
        auto* builder = static_cast<TreeBuilder*>(self);
        XmlElement& element = *builder->open_.back();
        element.text = std::string(trim(element.text));
        builder->open_.pop_back();
    }

    static void on_text(void* self, const XML_Char* text, int size) {
        auto* builder = static_cast<TreeBuilder*>(self);
        builder->open_.back()->text.append(text, static_cast<std::size_t>(size));
    }

    static void on_doctype(
        void* self, const XML_Char* /*name*/, const XML_Char*, const XML_Char*, int /*internal*/) {
        static_cast<TreeBuilder*>(self)->refuse();
    }

    void refuse() { XML_StopParser(parser_, XML_FALSE); }

    XML_Parser parser_;
    XmlElement root_;
    std::vector<XmlElement*> open_{&root_};
    std::size_t elements_ = 0;
};

} // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
    const auto found = std::find_if(children.begin(), children.end(), [&](const XmlElement& each) {
        return each.name == wanted;
    });
    return found == children.end() ? nullptr : &*found;
}

std::string XmlElement::text_of(std::string_view wanted) const {
    const XmlElement* found = child(wanted);
    return found == nullptr ? std::string() : found->text;
}

std::optional<XmlElement> parse_xml(std::string_view text) {
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return std::nullopt;
    }
    // Swift sends blanks to keep a connection open, before the declaration.
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    const Parser parser(XML_ParserCreate("UTF-8"));
    if (!parser) {
        return std::nullopt;
    }
    TreeBuilder tree(parser.get());
    if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), 1) != XML_STATUS_OK) {
        return std::nullopt;
    }
    return tree.take();
}

std::string xml_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

} // namespace kiln
