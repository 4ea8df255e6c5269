//! `--allow-outgoing`: the hosts to which h1mock may send requests. A provision that somebody posted is no open proxy.
//!
//! The addresses that pass are those to which h1mock connects: a name can't have another address by then.

use crate::system::digits::digits;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The hosts to which requests may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Allowed {
    /// The parts of the flag; none means [`Item::Default`].
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `*`: every host.
    All,
    /// `default`: this host, private addresses, and names of the cluster.
    Default,
    /// `example.com`.
    Name(String),
    /// `*.example.com`, without the star.
    Below(String),
    /// `10.0.0.0/8`, or one address.
    Network(IpAddr, u32),
}

/// Ends of names that only a cluster has.
const CLUSTER: [&str; 3] = [".svc", ".cluster.local", ".localhost"];

/// Addresses where clouds keep credentials, outside of the link-local networks: of AWS and Google (IPv6), Alibaba, Oracle and Azure.
const METADATA: [IpAddr; 5] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

impl Allowed {
    /// Parses the value of `--allow-outgoing`: hosts with commas between them.
    ///
    /// # Errors
    /// The reason why it is no list of hosts.
    pub(crate) fn parse(text: &str) -> Result<Allowed, String> {
        let items = text.split(',').map(|item| Item::parse(item.trim()));
        Ok(Allowed { items: items.collect::<Result<_, _>>()? })
    }

    /// Fails unless `host` may have an address to which requests may go. It is not looked up.
    ///
    /// # Errors
    /// ``requests to `example.com` are not allowed: `--allow-outgoing` does not name it``
    pub(crate) fn name(&self, host: &str) -> Result<(), String> {
        if host.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        let may_be = |item: &Item| match item {
            Item::All | Item::Default | Item::Network(..) => true,
            item => item.has_name(host),
        };
        match self.items() {
            items if items.iter().any(may_be) => Ok(()),
            _ => Err(format!("requests to `{host}` are not allowed: `--allow-outgoing` does not name it")),
        }
    }

    /// Returns those of `addresses` of `host` to which requests may go.
    ///
    /// # Errors
    /// There is none: ``requests to `example.com` (192.0.2.1) are not allowed: ...``
    pub(crate) fn of(&self, host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let Some(first) = addresses.first().map(SocketAddr::ip) else {
            return Err("it has no address".to_owned());
        };
        let allowed: Vec<_> =
            addresses.into_iter().filter(|address| self.allows(host, inner(address.ip()))).collect();
        if allowed.is_empty() { Err(self.refusal(host, first)) } else { Ok(allowed) }
    }

    fn items(&self) -> &[Item] {
        if self.items.is_empty() { &[Item::Default] } else { &self.items }
    }

    fn allows(&self, host: &str, address: IpAddr) -> bool {
        let special = is_special(address);
        self.items().iter().any(|item| match item {
            Item::All => true,
            Item::Network(network, bits) => contains(*network, *bits, address),
            _ if special => false,
            Item::Default => is_private(address) || is_of_cluster(host),
            item => item.has_name(host),
        })
    }

    fn refusal(&self, host: &str, address: IpAddr) -> String {
        let named = if host.parse::<IpAddr>().is_ok() { String::new() } else { format!(" ({address})") };
        let (start, address) = (format!("requests to `{host}`{named} are not allowed"), inner(address));
        if is_special(address) {
            return format!("{start}: only `--allow-outgoing {address}` allows this special address");
        }
        match self.items() {
            [Item::Default] => {
                let hint = format!("`--allow-outgoing default,{host}` allows it");
                format!("{start}: it is outside of the cluster; {hint}")
            }
            _ => format!("{start}: `--allow-outgoing` does not name it"),
        }
    }
}

impl Item {
    fn parse(item: &str) -> Result<Item, String> {
        let lower = item.trim_end_matches('.').to_ascii_lowercase();
        match lower.as_str() {
            "" => return Err("a host between its commas is empty".to_owned()),
            "*" => return Ok(Item::All),
            "default" => return Ok(Item::Default),
            _ => {}
        }
        let unbracketed = lower.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&lower);
        if let Ok(address) = unbracketed.parse::<IpAddr>() {
            return Ok(Item::Network(address, width(address)));
        }
        let no_host = || Err(format!("`{item}` is no host: it takes no scheme and no port"));
        if lower.contains("://") {
            return no_host();
        }
        if let Some((network, bits)) = lower.split_once('/') {
            let network = network.parse::<IpAddr>().ok();
            let bits = digits::<u32>(bits).zip(network).filter(|(bits, network)| *bits <= width(*network));
            let found = bits.map(|(bits, network)| Item::Network(network, bits));
            return found.ok_or_else(|| format!("`{item}` is no network such as `10.0.0.0/8`"));
        }
        if lower.contains(':') {
            return no_host();
        }
        let (name, below) = match lower.strip_prefix('*') {
            Some(end) => (end.strip_prefix('.').unwrap_or(""), true),
            None => (lower.as_str(), false),
        };
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        match name.split('.').all(is_part) {
            true if below => Ok(Item::Below(format!(".{name}"))),
            true => Ok(Item::Name(name.to_owned())),
            false => {
                Err(format!("`{item}` is no host such as `api.example.com`, `*.example.com` or `10.0.0.0/8`"))
            }
        }
    }

    fn has_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match self {
            Item::Name(name) => *name == host,
            Item::Below(end) => host.ends_with(end) && host.len() > end.len(),
            _ => false,
        }
    }
}

/// Whether `host` is a name that only this host or its cluster has.
fn is_of_cluster(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // Resolvers take `2130706433` and `0x7f000001` for addresses.
    let is_address = host.parse::<IpAddr>().is_ok() || host.starts_with(|first: char| first.is_ascii_digit());
    !is_address && (!host.contains('.') || CLUSTER.iter().any(|end| host.ends_with(end)))
}

/// Returns the IPv4 address that an IPv6 one stands for: mapped (RFC 4291), translated (RFC 6052), or of 6to4 (RFC 3056).
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match outer.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => v4(high, low),
        _ => address.to_canonical(),
    }
}

/// Whether `address` belongs to no host of its own, or to one that clouds keep for credentials. No default allows it.
fn is_special(address: IpAddr) -> bool {
    METADATA.contains(&address)
        || match address {
            IpAddr::V4(address) => {
                let first = address.octets()[0];
                address.is_link_local() || first == 0 || first >= 224
            }
            IpAddr::V6(address) => {
                address.is_unicast_link_local() || address.is_unspecified() || address.is_multicast()
            }
        }
}

/// Whether `address` is of this host (RFC 1122), or private (RFC 1918, RFC 4193, and RFC 6598, which clouds use for pods).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback() || address.is_private() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let differing = number(network) ^ number(address);
    network.is_ipv4() == address.is_ipv4() && differing.checked_shr(width(address) - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, host: &str, address: &str) -> Result<(), String> {
        let allowed = if list.is_empty() { Allowed::default() } else { Allowed::parse(list).unwrap() };
        allowed.name(host)?;
        allowed.of(host, vec![SocketAddr::new(address.parse().unwrap(), 80)]).map(|_| ())
    }

    #[test]
    fn the_default_reaches_this_host_and_the_cluster() {
        for (host, address, passes) in [
            ("localhost", "127.0.0.1", true),
            ("127.9.9.9", "127.9.9.9", true),
            ("::1", "::1", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("172.16.0.1", "172.16.0.1", true),
            ("172.32.0.1", "172.32.0.1", false),
            ("192.168.1.1", "192.168.1.1", true),
            ("100.64.0.1", "100.64.0.1", true),
            ("fd12::1", "fd12::1", true),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", true),
            ("::ffff:93.184.216.34", "::ffff:93.184.216.34", false),
            ("payments", "93.184.216.34", true),
            ("payments.default", "10.96.0.7", true),
            ("payments.default", "93.184.216.34", false),
            ("payments.default.svc", "93.184.216.34", true),
            ("Payments.Default.SVC.cluster.local.", "93.184.216.34", true),
            ("example.com", "93.184.216.34", false),
            ("93.184.216.34", "93.184.216.34", false),
            ("2606:2800::1", "2606:2800::1", false),
            ("metadata", "169.254.169.254", false),
            ("169.254.169.254", "169.254.169.254", false),
            ("::ffff:169.254.169.254", "::ffff:169.254.169.254", false),
            ("fe80::1", "fe80::1", false),
            ("64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe", false),
            ("64:ff9b::a00:1", "64:ff9b::a00:1", true),
            ("2002:a9fe:a9fe::1", "2002:a9fe:a9fe::1", false),
            ("168.63.129.16", "168.63.129.16", false),
            ("134744072", "8.8.8.8", false),
            ("0x7f000001", "127.0.0.1", true),
            ("fd00:ec2::254", "fd00:ec2::254", false),
            ("100.100.100.200", "100.100.100.200", false),
            ("zero", "0.0.0.0", false),
            ("zero", "::", false),
            ("many", "224.0.0.1", false),
            ("all", "255.255.255.255", false),
        ] {
            assert_eq!(check("", host, address).is_ok(), passes, "{host} {address}");
        }
    }

    #[test]
    fn a_list_replaces_the_default_and_may_name_it() {
        for (list, host, address, passes) in [
            ("example.com", "Example.com.", "93.184.216.34", true),
            ("example.com", "www.example.com", "93.184.216.34", false),
            ("example.com", "localhost", "127.0.0.1", false),
            ("example.com", "127.0.0.1", "127.0.0.1", false),
            ("default, example.com", "localhost", "127.0.0.1", true),
            ("*.example.com", "www.example.com", "93.184.216.34", true),
            ("*.example.com", "example.com", "93.184.216.34", false),
            ("*.example.com", "badexample.com", "93.184.216.34", false),
            ("93.184.0.0/16", "example.com", "93.184.216.34", true),
            ("93.185.0.0/16", "example.com", "93.184.216.34", false),
            ("0.0.0.0/0", "1.2.3.4", "1.2.3.4", true),
            ("0.0.0.0/0", "fd12::1", "fd12::1", false),
            ("::/0", "fd12::1", "fd12::1", true),
            ("[fd12::1]", "fd12::1", "fd12::1", true),
            ("169.254.169.254", "169.254.169.254", "169.254.169.254", true),
            ("evil.com", "evil.com", "169.254.169.254", false),
            ("*", "anything", "169.254.169.254", true),
        ] {
            assert_eq!(check(list, host, address).is_ok(), passes, "{list} {host} {address}");
        }
    }

    #[test]
    fn only_addresses_that_pass_are_connected_to() {
        let addresses = ["93.184.216.34:80", "10.0.0.1:80"].map(|address| address.parse().unwrap());
        let passed = Allowed::default().of("both.example.com", addresses.to_vec());
        assert_eq!(passed, Ok(vec![addresses[1]]));
    }

    #[test]
    fn refusals_name_the_host_and_what_allows_it() {
        for (list, host, address, expected) in [
            (
                "",
                "example.com",
                "93.184.216.34",
                "requests to `example.com` (93.184.216.34) are not allowed: it is outside of the cluster; `--allow-outgoing default,example.com` allows it",
            ),
            (
                "",
                "8.8.8.8",
                "8.8.8.8",
                "requests to `8.8.8.8` are not allowed: it is outside of the cluster; `--allow-outgoing default,8.8.8.8` allows it",
            ),
            (
                "",
                "metadata",
                "169.254.169.254",
                "requests to `metadata` (169.254.169.254) are not allowed: only `--allow-outgoing 169.254.169.254` allows this special address",
            ),
            (
                "a.com",
                "b.com",
                "93.184.216.34",
                "requests to `b.com` are not allowed: `--allow-outgoing` does not name it",
            ),
            (
                "10.0.0.0/8",
                "b.com",
                "93.184.216.34",
                "requests to `b.com` (93.184.216.34) are not allowed: `--allow-outgoing` does not name it",
            ),
        ] {
            assert_eq!(check(list, host, address), Err(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_no_list_of_hosts_says_why() {
        for (list, expected) in [
            ("", "a host between its commas is empty"),
            ("a,,b", "a host between its commas is empty"),
            ("http://a", "`http://a` is no host: it takes no scheme and no port"),
            ("a/b", "`a/b` is no network such as `10.0.0.0/8`"),
            ("a:80", "`a:80` is no host: it takes no scheme and no port"),
            ("10.0.0.0/33", "`10.0.0.0/33` is no network such as `10.0.0.0/8`"),
            ("*a.com", "`*a.com` is no host such as `api.example.com`, `*.example.com` or `10.0.0.0/8`"),
            ("a b", "`a b` is no host such as `api.example.com`, `*.example.com` or `10.0.0.0/8`"),
        ] {
            assert_eq!(Allowed::parse(list), Err(expected.to_owned()), "{list}");
        }
    }
}
