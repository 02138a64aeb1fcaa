//! Hosts, and the networks in which they must be.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network in CIDR form: `10.10.0.0/24`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not an address, a slash and a number of bits.
    #[error("expected an address and the length of its prefix (10.10.0.0/24, fd00::/8)")]
    Form,
    /// The address has bits behind its prefix.
    #[error("the address has bits behind its prefix: write {0}")]
    HostBits(Network),
    /// Every address.
    #[error("a prefix of 0 bits allows every address")]
    Everything,
    /// An IPv4 network in IPv6 form, with the prefix that it has as IPv4.
    #[error("connections take it for IPv4: write {0}/{1}")]
    Mapped(Ipv4Addr, u8),
}

/// The bits in front of an IPv4 address in IPv6 form (`::ffff:0:0/96`, RFC 4291 2.5.5.2).
const MAPPED: u8 = 96;

/// The address as a number of 128 bits, its own bits first.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

impl Network {
    /// Whether the address is in it, as connections take the address: `::ffff:10.0.0.1` is 10.0.0.1, and 0.0.0.0 and `::`, which
    /// lead to the machine itself, are in none.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !address.is_unspecified() && self.covers(address)
    }

    fn covers(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && bits(address) & mask(self.prefix) == bits(self.address)
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other.address) || other.covers(self.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = text.split_once('/').ok_or(NetworkError::Form)?;
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let prefix: u8 = prefix.parse().map_err(|_| NetworkError::Form)?;
        if let (IpAddr::V6(_), IpAddr::V4(mapped), Some(prefix @ 0..=32)) =
            (address, address.to_canonical(), prefix.checked_sub(MAPPED))
        {
            return Err(if prefix == 0 {
                NetworkError::Everything
            } else {
                NetworkError::Mapped(mapped, prefix)
            });
        }
        let longest = if address.is_ipv4() { 32 } else { 128 };
        match prefix {
            0 => return Err(NetworkError::Everything),
            prefix if prefix > longest => return Err(NetworkError::Form),
            _ => {}
        }
        let masked = bits(address) & mask(prefix);
        let first = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(masked >> 96).unwrap_or_default().into()),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(masked)),
        };
        let network = Self { address: first, prefix };
        if first == address { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }
}

/// Where a node is: its address, or a name that the programs resolve when they connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name in lower case.
    Name(String),
}

impl Host {
    /// The name, unless it is an address: it may be all that stands in a certificate.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<IpAddr>() {
            // Connections take ::ffff:10.0.0.1 for 10.0.0.1.
            let address = address.to_canonical();
            return match address.is_unspecified() {
                true => Err("it leads to the machine itself: give the address of a node"),
                false => Ok(Self::Address(address)),
            };
        }
        if is_name(text) && !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Ok(Self::Name(text.to_ascii_lowercase()));
        }
        Err("expected one address or one host name, without port; a list has an entry for each")
    }
}

/// Whether the text is a host name or a domain: labels of letters, digits and hyphens.
pub(super) fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Whether a host name is in a domain (`internal`, `cass.example.com`), or is it.
pub(super) fn is_in_domain(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside() {
        let network: Network = "10.10.0.0/22".parse().unwrap();
        for (address, inside) in [
            ("10.10.3.255", true),
            ("10.10.4.0", false),
            ("10.9.255.255", false),
            ("::ffff:10.10.0.1", true),
            ("::ffff:10.10.4.1", false),
            ("::10.10.0.1", false),
        ] {
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address}");
        }
        let network: Network = "fd00::/8".parse().unwrap();
        assert!(network.contains("fdff::1".parse().unwrap()) && !network.contains("fe00::".parse().unwrap()));
        let half: Network = "0.0.0.0/1".parse().unwrap();
        assert!(half.contains("127.0.0.1".parse().unwrap()) && !half.contains("0.0.0.0".parse().unwrap()));
        let all_mapped: Network = "::/8".parse().unwrap();
        assert!(all_mapped.contains("::1".parse().unwrap()));
        for address in ["::", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "10.0.0.1"] {
            assert!(!all_mapped.contains(address.parse().unwrap()), "{address}");
        }
        let one: Network = "127.0.0.2/32".parse().unwrap();
        assert!(one.contains("127.0.0.2".parse().unwrap()) && !one.contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn overlaps() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert!(network("10.0.0.0/8").overlaps(&network("10.10.0.0/24")));
        assert!(network("10.10.0.0/24").overlaps(&network("10.0.0.0/8")));
        assert!(!network("10.10.0.0/24").overlaps(&network("10.10.1.0/24")));
        assert!(network("0.0.0.0/8").overlaps(&network("0.0.0.0/4")));
    }

    #[test]
    fn what_is_no_network() {
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "x/8", "10.0.0.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Form), "{text}");
        }
        for text in ["0.0.0.0/0", "::/0", "::ffff:0:0/96"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Everything), "{text}");
        }
        for (text, instead) in
            [("::ffff:127.0.0.1/128", "write 127.0.0.1/32"), ("::ffff:a00:0/104", "write 10.0.0.0/8")]
        {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(instead), "{error}");
        }
        let error = "10.10.0.5/24".parse::<Network>().unwrap_err();
        assert!(error.to_string().contains("10.10.0.0/24"), "{error}");
    }

    #[test]
    fn hosts() {
        assert!(
            matches!("Cassandra-1.internal".parse(), Ok(Host::Name(name)) if name == "cassandra-1.internal")
        );
        assert_eq!("::ffff:10.10.0.5".parse(), Ok(Host::Address("10.10.0.5".parse().unwrap())));
        for text in [
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "[::1]",
            "10.10.0.5,10.10.0.6",
            "host:9042",
            "10.0.0",
            "256.1.1.1",
            "-a",
            "",
            "a b",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        assert!(is_in_domain("a.internal", "internal") && is_in_domain("internal", "internal"));
        assert!(!is_in_domain("ainternal", "internal"));
    }
}
