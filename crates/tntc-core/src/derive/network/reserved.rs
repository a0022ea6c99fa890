//! Address blocks that are not globally reachable.
//!
//! From the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890): every block whose column "Globally
//! Reachable" does not say "True", and the multicast blocks, which have a registry of their own. Blocks inside a listed
//! one are covered by it.

/// What a rule for hosts on the IPv4 Internet leaves out, in ascending order.
pub const IPV4: [&str; 15] = [
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private use
    "100.64.0.0/10",   // carrier-grade NAT
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local, cloud metadata services
    "172.16.0.0/12",   // private use
    "192.0.0.0/24",    // IETF protocol assignments
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // deprecated 6to4 relays
    "192.168.0.0/16",  // private use
    "198.18.0.0/15",   // benchmarking
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved, limited broadcast
];

/// What a rule for hosts on the IPv6 Internet leaves out, in ascending order.
///
/// `::ffff:0:0/96` is missing on purpose: Kubernetes reads such a block as IPv4 and refuses it within `::/0`, and no
/// packet on a wire carries such an address.
pub const IPV6: [&str; 12] = [
    "::/128",         // unspecified
    "::1/128",        // loopback
    "64:ff9b:1::/48", // local-use translation
    "100::/64",       // discard only
    "100:0:0:1::/64", // dummy prefix
    "2001::/23",      // IETF protocol assignments
    "2001:db8::/32",  // documentation
    "2002::/16",      // 6to4, which can lead to any IPv4 address
    "3fff::/20",      // documentation
    "5f00::/16",      // segment routing
    "fc00::/7",       // unique local
    "fe80::/10",      // link-local
];

/// IPv6 multicast (RFC 4291, 2.7).
pub const IPV6_MULTICAST: &str = "ff00::/8";

/// The listed block that holds the address, if any: such an address cannot be reached through a rule for the Internet.
#[must_use]
pub fn block_of(address: std::net::IpAddr) -> Option<crate::contract::Cidr> {
    let blocks = IPV4.iter().chain(&IPV6).chain([&IPV6_MULTICAST]);
    blocks
        .filter_map(|block| block.parse::<crate::contract::Cidr>().ok())
        .find(|block| block.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Cidr;

    #[test]
    fn every_block_is_written_as_its_own_network() {
        for block in IPV4.iter().chain(&IPV6).chain([&IPV6_MULTICAST]) {
            let parsed: Cidr = block.parse().unwrap();
            assert_eq!(parsed.network().to_string(), *block);
        }
    }

    #[test]
    fn private_and_metadata_addresses_are_found_in_their_blocks() {
        let block =
            |address: &str| block_of(address.parse().unwrap()).map(|block| block.to_string());
        assert_eq!(block("169.254.169.254").as_deref(), Some("169.254.0.0/16"));
        assert_eq!(block("fd00::1").as_deref(), Some("fc00::/7"));
        assert_eq!(block("ff02::1").as_deref(), Some("ff00::/8"));
        assert_eq!(block("140.82.121.4"), None);
        assert_eq!(block("2606:50c0:8000::153"), None);
    }
}
