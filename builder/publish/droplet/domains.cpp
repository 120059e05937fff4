// SPDX-License-Identifier: MIT
#include "publish/droplet/domains.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/api_answer.hpp"
#include "publish/droplet/patience.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

DomainRecord record_of(const Json& json) {
    const JsonObject object(json, "a record");
    return {
        object.number("id"),
        object.text("type"),
        object.text_or_empty("name"),
        object.text_or_empty("data"),
        object.number_or("ttl", 0)};
}

std::string name_of_domain(const Json& json) {
    return JsonObject(json, "a domain").text("name");
}

std::string records_path(const std::string& domain) {
    return fmt::format("/v2/domains/{}/records", domain);
}

std::string record_path(const std::string& domain, std::uint64_t id) {
    return fmt::format("{}/{}", records_path(domain), id);
}

std::vector<std::string> domains_of(DigitalOceanApi& api) {
    const std::string what = "list the domains of this account";
    std::vector<std::string> out =
        read_answers(api.list("/v2/domains", "domains", what), what, name_of_domain);
    // They become part of URLs.
    std::erase_if(out, [](const std::string& each) { return !is_full_host_name(each); });
    return out;
}

/// The filter takes the full name, the records have the relative one.
std::vector<DomainRecord>
records_named(DigitalOceanApi& api, const DomainHost& host, const std::string& type) {
    const std::string what = fmt::format("list the records of {}", host.full_name());
    std::vector<DomainRecord> out = read_answers(
        api.list(
            fmt::format("{}?type={}&name={}", records_path(host.domain), type, host.full_name()),
            "domain_records",
            what),
        what,
        record_of);
    std::erase_if(
        out, [&](const DomainRecord& each) { return each.type != type || each.name != host.name; });
    return out;
}

/// Adds a record, unless a request before has done so and its answer was lost.
void add_record(DigitalOceanApi& api, const DomainHost& host, const std::string& address) {
    const std::string what = fmt::format("point {} to {}", host.full_name(), address);
    const Json body{{"type", "A"}, {"name", host.name}, {"data", address}, {"ttl", kRecordTtl}};
    constexpr unsigned kMostTries = 5;
    for (unsigned tries = 1;; ++tries) {
        try {
            static_cast<void>(api.post(records_path(host.domain), body, what));
            return;
        } catch (const UnclearOutcome&) {
            if (tries == kMostTries) {
                throw;
            }
        }
        api.clock().wait(kTryAgainDelay);
        if (!records_named(api, host, "A").empty()) {
            return;
        }
    }
}

/// Of the A records of a name; none is fine.
void keep_one_record(
    DigitalOceanApi& api,
    const DomainHost& host,
    const std::string& address,
    std::vector<DomainRecord> records) {
    // The one that is right already stays.
    std::stable_partition(records.begin(), records.end(), [&](const DomainRecord& each) {
        return each.data == address;
    });
    bool is_first = true;
    for (DomainRecord& record : records) {
        if (!std::exchange(is_first, false)) {
            delete_record(api, {host.domain, std::move(record)});
        } else if (record.data != address || record.ttl != kRecordTtl) {
            static_cast<void>(api.put(
                record_path(host.domain, record.id),
                {{"type", "A"}, {"name", host.name}, {"data", address}, {"ttl", kRecordTtl}},
                fmt::format("point {} to {}", host.full_name(), address)));
        }
    }
}

} // namespace

std::string DomainHost::full_name() const {
    return name == "@" ? domain : name + "." + domain;
}

std::string PlacedRecord::description() const {
    return printable(fmt::format(
        "{} {} {}", record.type, DomainHost{domain, record.name}.full_name(), record.data));
}

bool is_full_host_name(std::string_view text) {
    constexpr std::size_t kLongest = 253;
    constexpr std::size_t kLongestLabel = 63;
    if (text.size() > kLongest || text.find('.') == std::string_view::npos) {
        return false;
    }
    const std::vector<std::string> labels = split(text, '.');
    return std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
        return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
               label.back() != '-' && std::all_of(label.begin(), label.end(), [](unsigned char c) {
                   return c < 0x80U && (std::isalnum(c) != 0 || c == '-' || c == '_');
               });
    });
}

DomainHost find_domain_host(DigitalOceanApi& api, const std::string& host) {
    if (!is_full_host_name(host)) {
        throw UsageError(fmt::format("'{}' is not a full host name (--domain)", excerpt(host)))
            .with_hint("expected a name such as www.example.org");
    }
    const std::vector<std::string> domains = domains_of(api);
    const std::string* best = nullptr;
    for (const std::string& domain : domains) {
        const bool is_in = host == domain || host.ends_with("." + domain);
        if (is_in && (best == nullptr || domain.size() > best->size())) {
            best = &domain;
        }
    }
    if (best == nullptr) {
        throw UsageError(fmt::format("'{}' is in no domain of the account", host))
            .with_hint(
                domains.empty() ? "add the domain in the control panel under Networking, Domains"
                                : "domains: " + join(domains, ", "));
    }
    return {*best, host == *best ? "@" : host.substr(0, host.size() - best->size() - 1)};
}

void point_host(
    DigitalOceanApi& api, const DomainHost& host, const std::string& address, Console& console) {
    std::vector<DomainRecord> records = records_named(api, host, "A");
    if (records.empty()) {
        add_record(api, host, address);
        // There are two when a request whose answer was lost came late.
        records = records_named(api, host, "A");
    }
    keep_one_record(api, host, address, std::move(records));
    for (const DomainRecord& other : records_named(api, host, "AAAA")) {
        console.warning(fmt::format(
            "{} also has an AAAA record, {}, where clients with IPv6 go; it was not changed",
            host.full_name(),
            excerpt(other.data)));
    }
}

std::vector<PlacedRecord>
records_of(DigitalOceanApi& api, const std::vector<std::string>& addresses) {
    std::vector<PlacedRecord> out;
    if (addresses.empty()) {
        return out;
    }
    for (const std::string& domain : domains_of(api)) {
        const std::string what = fmt::format("list the records of {}", domain);
        for (DomainRecord& record : read_answers(
                 api.list(records_path(domain), "domain_records", what), what, record_of)) {
            const bool is_address = record.type == "A" || record.type == "AAAA";
            if (is_address &&
                std::find(addresses.begin(), addresses.end(), record.data) != addresses.end()) {
                out.push_back({domain, std::move(record)});
            }
        }
    }
    return out;
}

void delete_record(DigitalOceanApi& api, const PlacedRecord& record) {
    api.remove(
        record_path(record.domain, record.record.id), "delete the record " + record.description());
}

} // namespace kiln
