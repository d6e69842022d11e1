//! The head of a request, as far as it must be understood before anything is served.

/// What of a head matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// `GET`, …
    pub(crate) method: &'a str,
    /// Path without the query.
    pub(crate) path: &'a str,
    /// `Host`.
    pub(crate) host: Option<&'a str>,
    /// `Origin`.
    pub(crate) origin: Option<&'a str>,
}

/// Where the head ends, if it has arrived.
pub(crate) fn end_of(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|place| place + 4)
}

/// Understands a whole head.
pub(crate) fn parse(bytes: &[u8]) -> Option<Head<'_>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let path = target.split('?').next()?;
    let (mut host, mut origin) = (None, None);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("host") {
            host = Some(value.trim());
        } else if name.eq_ignore_ascii_case("origin") {
            origin = Some(value.trim());
        }
    }
    Some(Head { method, path, host, origin })
}

/// Whether a request is meant for this machine. A page elsewhere can point a name of its own at loopback; its
/// requests then carry that name.
pub(crate) fn is_ours(host: Option<&str>, origin: Option<&str>, port: u16) -> bool {
    let ours = |host: &str| {
        let (name, of) = match host.rsplit_once(':') {
            Some((name, of)) if of.bytes().all(|byte| byte.is_ascii_digit()) => (name, of),
            _ => (host, "80"),
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]") && of == port.to_string()
    };
    host.is_some_and(ours) && origin.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(ours))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_understood_whatever_the_case_of_its_names() {
        let bytes = b"GET /api/events?x=1 HTTP/1.1\r\nHOST: localhost:8080\r\norigin:  http://a \r\n\r\n";
        let head = parse(bytes).unwrap();
        assert_eq!((head.method, head.path), ("GET", "/api/events"));
        assert_eq!((head.host, head.origin), (Some("localhost:8080"), Some("http://a")));
        assert_eq!(end_of(bytes), Some(bytes.len()));
        assert_eq!(end_of(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn nonsense_is_no_head() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"\xff\xfe GET"), None);
        assert_eq!(parse(b"GET\r\n\r\n"), None);
    }

    #[test]
    fn only_names_of_this_machine_and_port_are_ours() {
        let cases = [
            (Some("127.0.0.1:8080"), None, true),
            (Some("localhost:8080"), None, true),
            (Some("[::1]:8080"), None, true),
            (Some("localhost:8080"), Some("http://localhost:8080"), true),
            (Some("localhost:8081"), None, false),
            (Some("localhost"), None, false),
            (Some("evil.example:8080"), None, false),
            (Some("localhost:8080"), Some("http://evil.example"), false),
            (Some("localhost:8080"), Some("https://localhost:8080"), false),
            (Some("localhost:8080"), Some("null"), false),
            (None, None, false),
        ];
        for (host, origin, expected) in cases {
            assert_eq!(is_ours(host, origin, 8080), expected, "{host:?} {origin:?}");
        }
        assert!(is_ours(Some("localhost"), None, 80));
    }
}
