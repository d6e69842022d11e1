//! Golden bytes, pieces, junk, limits, and an independent encoder as judge.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use protocol::{Broken, DEPTH_MAX, Decoder, Frame, Item, MESSAGE_MAX, REQUEST_MAX, RpcError, Skipped, Value};

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn text(text: &str) -> Value {
    text.into()
}

fn golden() -> Vec<(&'static str, Frame)> {
    let error = |code, text: &str| Err(RpcError { code: Some(code), text: text.into() });
    vec![
        (
            include_str!("golden/request_register.hex"),
            Frame::Request { id: 1, method: "$/register".into(), params: vec![text("ev.btn")] },
        ),
        (include_str!("golden/response_true.hex"), Frame::Response { id: 1, result: Ok(Value::Bool(true)) }),
        (
            include_str!("golden/response_taken.hex"),
            Frame::Response { id: 1, result: error(5, "route already exists: ev.btn") },
        ),
        (
            include_str!("golden/request_led.hex"),
            Frame::Request {
                id: 7,
                method: "led".into(),
                params: [3, 0, 255, 0, 0, 0].into_iter().map(Value::Int).collect(),
            },
        ),
        (
            include_str!("golden/response_no_owner.hex"),
            Frame::Response { id: 7, result: error(2, "method hb not available") },
        ),
        (
            include_str!("golden/notify_button.hex"),
            Frame::Notification { method: "ev.btn".into(), params: vec![1.into(), true.into(), 42.into()] },
        ),
    ]
}

fn decode(bytes: &[u8]) -> Result<Option<Item>, Broken> {
    let mut decoder = Decoder::default();
    decoder.feed(bytes);
    decoder.next_item()
}

#[test]
fn golden_bytes_are_written_and_read() {
    for (hex, frame) in golden() {
        assert_eq!(frame.encode(), bytes(hex), "{frame:?}");
        assert_eq!(decode(&bytes(hex)), Ok(Some(Item::Frame(frame))));
    }
}

#[test]
fn frames_arrive_in_single_bytes_and_all_at_once() {
    let stream: Vec<u8> = golden().iter().flat_map(|(hex, _)| bytes(hex)).collect();
    for piece in [1, 2, 7, stream.len()] {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for part in stream.chunks(piece) {
            decoder.feed(part);
            while let Some(item) = decoder.next_item().unwrap() {
                found.push(item);
            }
        }
        let expected: Vec<_> = golden().into_iter().map(|(_, frame)| Item::Frame(frame)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_no_frame_is_skipped_and_the_next_one_read() {
    let mut decoder = Decoder::default();
    decoder.feed(b"Hi");
    decoder.feed(&bytes("92 01 02  94 09 01 c0 c0  94 00 a1 61 a1 61 90  94 01 01 c0 c3"));
    let mut kinds = Vec::new();
    while let Some(item) = decoder.next_item().unwrap() {
        kinds.push(item);
    }
    let (list, frame) = (Item::Skipped(Skipped::NoList), Item::Skipped(Skipped::NoFrame));
    let last = Item::Frame(Frame::Response { id: 1, result: Ok(Value::Bool(true)) });
    assert_eq!(kinds, [list.clone(), list, frame.clone(), frame.clone(), frame, last]);
}

#[test]
fn errors_of_older_routers_are_plain_text() {
    for (hex, expected) in [("94 01 01 a2 6e 6f c0", "no"), ("94 01 01 c3 c0", "unknown error")] {
        let error = RpcError { code: None, text: expected.into() };
        assert_eq!(decode(&bytes(hex)), Ok(Some(Item::Frame(Frame::Response { id: 1, result: Err(error) }))));
    }
}

#[test]
fn what_cannot_be_understood_closes_the_connection() {
    let deep = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
    assert_eq!(decode(&[0xc1]), Err(Broken::NoValue(0xc1)));
    assert_eq!(decode(&[0xd4, 1, 2]), Err(Broken::NoValue(0xd4)));
    assert_eq!(decode(&[0xa1, 0xff]), Err(Broken::NoText));
    assert_eq!(decode(&bytes("cf ff ff ff ff ff ff ff ff")), Err(Broken::TooWide));
    assert!(decode(&deep(DEPTH_MAX)).is_ok());
    assert_eq!(decode(&deep(DEPTH_MAX + 1)), Err(Broken::TooDeep));
    assert_eq!(decode(&bytes("db 7f ff ff ff")), Err(Broken::TooLong));
    assert_eq!(decode(&bytes("dd ff ff ff ff")), Ok(None));
    let mut endless = bytes("dd ff ff ff ff");
    endless.resize(MESSAGE_MAX + 1, 0xc0);
    assert_eq!(decode(&endless), Err(Broken::TooLong));
}

#[test]
fn a_request_at_the_limit_is_sent_and_one_byte_more_is_not() {
    // 1 list, 1 kind, 1 id, 3 method, 1 params, 2 text: 9 bytes around the text.
    let request = |count: usize| Frame::request(1, "tx", vec![text(&"x".repeat(count))]);
    assert_eq!(request(REQUEST_MAX - 9).unwrap().len(), REQUEST_MAX);
    assert_eq!(request(REQUEST_MAX - 8).unwrap_err().bytes, REQUEST_MAX + 1);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-300_i64..70_000).prop_map(Value::Int),
        any::<f64>().prop_filter("comparable", |number| !number.is_nan()).prop_map(Value::Float),
        "\\PC{0,40}".prop_map(Value::Text),
        "[a-z]{250,260}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 40, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
            proptest::collection::vec((inner.clone(), inner), 0..18).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn every_frame_comes_back_as_it_was(id: u32, method in "\\PC{0,30}", params in proptest::collection::vec(any_value(), 0..5)) {
        for frame in [
            Frame::Request { id, method: method.clone(), params: params.clone() },
            Frame::Notification { method, params: params.clone() },
            Frame::Response { id, result: Ok(Value::Array(params)) },
        ] {
            prop_assert_eq!(decode(&frame.encode()), Ok(Some(Item::Frame(frame))));
        }
    }

    #[test]
    fn a_cut_frame_waits_for_the_rest(cut in 0.0..1.0_f64, params in proptest::collection::vec(any_value(), 0..4)) {
        let whole = Frame::Notification { method: "ev.log".into(), params }.encode();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let length = (whole.len() as f64 * cut) as usize;
        prop_assert_eq!(decode(&whole[..length]), Ok(None));
    }

    #[test]
    fn no_bytes_make_it_panic(junk in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut decoder = Decoder::default();
        decoder.feed(&junk);
        while let Ok(Some(_)) = decoder.next_item() {}
    }

    #[test]
    fn an_independent_encoder_writes_the_same_numbers_and_texts(number: i64, word in "\\PC{0,300}") {
        let ours = Frame::Notification { method: word.clone(), params: vec![Value::Int(number), text(&word)] };
        let theirs = rmp_serde::to_vec(&(2, &word, (number, &word))).unwrap();
        prop_assert_eq!(ours.encode(), theirs);
    }
}
