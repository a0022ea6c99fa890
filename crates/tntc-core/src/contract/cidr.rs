//! Blocks of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::diagnostic::{Invalid, shown};

/// A block of addresses, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// The block that holds one address only.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        Self(address.into())
    }

    /// The address before the slash, host bits included.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.0.addr()
    }

    /// Number of leading bits that all addresses of the block share.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }

    /// The same block with the bits behind the prefix cleared.
    #[must_use]
    pub fn network(&self) -> Self {
        Self(self.0.trunc())
    }

    /// A block as Deno's `--allow-net` takes it in front of a port; `None` where it takes none.
    ///
    /// Deno 2.9.8 knows blocks of IPv4 and single addresses of IPv6. A block of all addresses is accepted, but covers no
    /// name, and names are what such a target is written for.
    #[must_use]
    pub fn for_deno(&self) -> Option<String> {
        match (self.address(), self.prefix()) {
            (_, 0) => None,
            (IpAddr::V4(_), _) => Some(self.to_string()),
            (IpAddr::V6(address), 128) => Some(format!("[{address}]")),
            (IpAddr::V6(_), _) => None,
        }
    }

    /// Whether the block holds the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let problem = || {
            Invalid::new(
                "cidr",
                format!("`{}` is not a block of addresses", shown(text)),
            )
        };
        let Some((address, prefix)) = text.split_once('/') else {
            let guess = text
                .parse::<IpAddr>()
                .map(|address| format!("write `{}`", Self::of_address(address)));
            return Err(problem().help(
                guess.unwrap_or_else(|_| "write an address and a prefix: `10.0.0.0/8`".into()),
            ));
        };
        let address: IpAddr = address.parse().map_err(|_| {
            problem()
                .help("write an IPv4 or IPv6 address before the slash: `10.0.0.0/8`, `fd00::/8`")
        })?;
        let most = Self::of_address(address).prefix();
        let is_plain = prefix == "0" || (!prefix.starts_with(['0', '+']) && prefix.len() <= 3);
        let block = prefix.parse().ok().filter(|_| is_plain);
        let block = block.and_then(|prefix| IpNet::new(address, prefix).ok());
        block.map(Self).ok_or_else(|| {
            problem().help(format!(
                "the prefix behind the slash is a number from 0 to {most}"
            ))
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_an_address_and_a_prefix_that_fits() {
        for good in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "fd00::/8",
            "10.1.2.3/8",
            "169.254.169.254/32",
        ] {
            assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "x/8",
            "/8",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_block_knows_its_network_and_members() {
        let block: Cidr = "10.1.2.3/8".parse().unwrap();
        assert_eq!(block.network().to_string(), "10.0.0.0/8");
        assert!(block.contains([10, 200, 0, 1].into()));
        assert!(!block.contains([11, 0, 0, 1].into()));
        let all: Cidr = "::1/0".parse().unwrap();
        assert_eq!(all.network().to_string(), "::/0");
        assert!(!all.contains([10, 0, 0, 1].into()));
    }
}
