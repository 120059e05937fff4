// SPDX-License-Identifier: MIT
//
// DNS records of the domains that an account holds: the one that a host name needs, and those that
// lead to an address.
#pragma once

#include "base/console.hpp"
#include "publish/digitalocean/api.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Seconds; short, because records move to another droplet together with the volume.
inline constexpr unsigned kRecordTtl = 30;

/// Schema `domain_record`.
struct DomainRecord {
    std::uint64_t id = 0;
    std::string type; ///< "A", "AAAA", ...
    std::string name; ///< relative to the domain; "@" is the domain itself
    std::string data;
    std::uint64_t ttl = 0; ///< seconds
};

/// A host name within a domain of the account.
struct DomainHost {
    std::string domain;
    std::string name; ///< as in DomainRecord

    /// "www.example.org"
    [[nodiscard]] std::string full_name() const;
};

/// A record with the domain that it is in.
struct PlacedRecord {
    std::string domain;
    DomainRecord record;

    /// "A www.example.org 192.0.2.1"
    [[nodiscard]] std::string description() const;
};

/// Letters, digits, '-' and '_' in labels of at most 63, at least two labels, at most 253 in all.
[[nodiscard]] bool is_full_host_name(std::string_view text);

/// Finds the longest domain of the account that `host` is in. Throws UsageError without one.
[[nodiscard]] DomainHost find_domain_host(DigitalOceanApi& api, const std::string& host);

/// Afterwards there is one A record of that exact name, and it holds `address`: others of the name
/// are changed or removed. Other types stay; `console` gets a warning for an AAAA record. May be
/// called again after any failure.
void point_host(
    DigitalOceanApi& api, const DomainHost& host, const std::string& address, Console& console);

/// The A and AAAA records of all domains of the account that hold one of the addresses.
[[nodiscard]] std::vector<PlacedRecord>
records_of(DigitalOceanApi& api, const std::vector<std::string>& addresses);

/// One that is gone already is fine.
void delete_record(DigitalOceanApi& api, const PlacedRecord& record);

} // namespace kiln
