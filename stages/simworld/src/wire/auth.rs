//! Signature check, on the bytes as received.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{RawReply, RawRequest, dispatch::Failure, error_reply};

/// Public key of the simulated account.
pub const PUBLIC_KEY: &str = "sim-public-key-0001";
/// Private key of the simulated account; worthless anywhere else.
pub const PRIVATE_KEY: &str = "sim-private-key-0001";

/// Checks key, signature and stamp of a request.
pub(super) fn check(request: &RawRequest, wall_s: i64, window_s: i64) -> Result<(), RawReply> {
    if request.header("X-NtApi-PublicKey") != Some(PUBLIC_KEY) {
        let mut reply = error_reply(&Failure::common(4, "Invalid api key provided"));
        reply.status = 403;
        return Err(reply);
    }
    let stamp = request.header("X-NtApi-Timestamp").unwrap_or("");
    let given = request.header("X-NtApi-Sig").unwrap_or("");
    let recent = stamp.parse::<i64>().is_ok_and(|s| (wall_s - s).abs() <= window_s);
    if recent && given == signature(&request.body, stamp) {
        return Ok(());
    }
    Err(error_reply(&Failure::common(4, "Invalid signature provided")))
}

/// Returns the lowercase hex HMAC-SHA256 of body and stamp.
pub(super) fn signature(body: &[u8], stamp: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(PRIVATE_KEY.as_bytes()).expect("any key length is allowed");
    mac.update(body);
    mac.update(stamp.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_equal_the_published_vectors() {
        let order = r#"{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":12,"limit_price":84.5,"expiration_id":1,"user_order_id":700000001}"#;
        for (body, expected) in [
            ("{}", "39f659ced28967fce68f2c73930aa67c64e31400be3638acb15d55ca3364d175"),
            ("", "324143f99ed3c7b644720c8f56febb66fcc838f295f6a4d87476db598c8757be"),
            (r#"{"active_only":1}"#, "dae3f7222856270efcec81787fd1a2949cab4c270f82ed7e02a12e91b432fb16"),
            (order, "1ca790729cdfbab471df35a41d5014aef58706ff02083f1fcb004ecfb27bc470"),
        ] {
            assert_eq!(signature(body.as_bytes(), "1767225600"), expected, "{body}");
        }
    }

    #[test]
    fn the_stamp_may_differ_by_the_window_and_no_more() {
        let request = |stamp: &str| RawRequest {
            method: "POST".into(),
            path: "/api/getPositionJson".into(),
            headers: vec![
                ("x-ntapi-publickey".into(), PUBLIC_KEY.into()),
                ("x-ntapi-timestamp".into(), stamp.into()),
                ("x-ntapi-sig".into(), signature(b"{}", stamp)),
            ],
            body: b"{}".to_vec(),
        };
        assert!(check(&request("1000"), 1300, 300).is_ok());
        assert!(check(&request("1000"), 1301, 300).is_err());
        assert!(check(&request("1600"), 1300, 300).is_ok());
        assert!(check(&request("soon"), 1300, 300).is_err());
        let mut tampered = request("1000");
        tampered.body = b"{ }".to_vec();
        assert!(check(&tampered, 1000, 300).is_err());
        let mut stranger = request("1000");
        stranger.headers[0].1 = "other".into();
        assert_eq!(check(&stranger, 1000, 300).err().map(|r| r.status), Some(403));
    }
}
