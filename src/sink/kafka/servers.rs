//! The text that says which brokers to ask first.

/// Checks a list `[protocol://]host[:port],…`. librdkafka takes a port behind 65535 for another one, and a user's name for a
/// part of the host's.
///
/// # Errors
/// In words, without the text, which may hold a password.
pub fn check_servers(list: &str) -> Result<(), String> {
    let wrong = list.split(',').map(str::trim).enumerate().find_map(|(number, entry)| {
        let complaint = complaint(entry)?;
        Some(format!("entry {}: {complaint}", number + 1))
    });
    wrong.map_or(Ok(()), Err)
}

fn complaint(entry: &str) -> Option<&'static str> {
    const FORM: &str = "expected host:port, with a port from 1 to 65535";
    if entry.contains('@') {
        return Some("expected host:port: users and passwords stand in options of their own");
    }
    let address = entry.split_once("://").map_or(entry, |(_, address)| address);
    let (host, port) = match address.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, port))) => (host, port.strip_prefix(':')),
        Some(None) => return Some(FORM),
        None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    let is_host =
        !host.is_empty() && !host.contains(|letter: char| letter.is_whitespace() || "/[]".contains(letter));
    (!is_host || port.is_some_and(|port| !is_port(port))).then_some(FORM)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_brokers() {
        for good in [
            "kafka:9092",
            "a:1,b:65535",
            "kafka",
            "[::1]:9092",
            "127.0.0.1:9092, 127.0.0.2:9092",
            "SSL://kafka:9093",
        ] {
            assert_eq!(check_servers(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a:9092,",
            "127.0.0.1:99999",
            "kafka:0",
            "kafka:+9092",
            "kafka:x",
            "kafka:",
            ":9092",
            "::1:9092",
            "[::1:9092",
            "a b:9092",
            "kafka:9092/x",
        ] {
            assert!(check_servers(bad).is_err(), "{bad}");
        }
        let said = check_servers("a:9092,user:hunter2@kafka:9092").unwrap_err();
        assert!(said.starts_with("entry 2: ") && !said.contains("hunter2"), "{said}");
    }
}
