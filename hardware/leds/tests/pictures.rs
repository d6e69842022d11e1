//! What is shown for each mood, against golden frames of eight lines of thirteen digits.
#![allow(clippy::unwrap_used)]

use leds::{Frame, LEVEL_MAX, Mood, Scene, Show, change_page, picture, value_page};
use proptest::prelude::*;

fn scene(mood: Option<Mood>) -> Scene {
    Scene {
        mood,
        text: "Why so".into(),
        value: Some(12_345),
        change: Some(0.004),
        degraded: false,
        gone: false,
    }
}

fn shown(scene: &Scene, second: u64) -> Show {
    picture(scene, second).show
}

fn golden(text: &str) -> Frame {
    let frame = Frame::drawn(text);
    assert_eq!(frame.lines(), text, "a golden frame has eight lines of thirteen digits");
    frame
}

#[test]
fn pages_look_as_drawn() {
    for (frame, drawn) in [
        (value_page(12_345), include_str!("golden/value_12345.txt")),
        (value_page(1_234_567), include_str!("golden/value_1234567.txt")),
        (change_page(0.0042), include_str!("golden/change_up.txt")),
        (change_page(-0.123), include_str!("golden/change_down.txt")),
        (change_page(0.000_4), include_str!("golden/change_none.txt")),
    ] {
        assert_eq!(frame.lines(), golden(drawn).lines());
    }
}

#[test]
fn pages_rotate_every_eight_seconds_and_skip_what_is_unknown() {
    let calm = scene(Some(Mood::Calm));
    let (value, change) = (Show::Frame(value_page(12_345)), Show::Frame(change_page(0.004)));
    for (second, expected) in [(0, &value), (7, &value), (8, &change), (15, &change), (16, &value)] {
        assert_eq!(&shown(&calm, second), expected, "second {second}");
    }
    let only_value = Scene { change: None, ..calm.clone() };
    assert_eq!(shown(&only_value, 8), value);
    let nothing = Scene { value: None, change: None, ..calm };
    assert_eq!(shown(&nothing, 8), Show::Text { text: "WHY SO".into(), step_ms: 50 });
}

#[test]
fn an_alarm_shows_its_icon_then_its_text() {
    let alarm = scene(Some(Mood::Alarm));
    let icon = shown(&alarm, 0);
    assert!(matches!(icon, Show::Frame(_)));
    assert_eq!(shown(&alarm, 2), icon);
    // (13 + 6 · 6) columns of 30 ms are two seconds, so the icon is back at the fifth.
    for second in [3, 4] {
        assert_eq!(shown(&alarm, second), Show::Text { text: "WHY SO".into(), step_ms: 30 });
    }
    assert_eq!(shown(&alarm, 5), icon);
}

#[test]
fn moods_differ_at_a_glance() {
    let first = |mood| format!("{:?}", picture(&scene(mood), 0));
    let all = [
        None,
        Some(Mood::Calm),
        Some(Mood::Working),
        Some(Mood::Waiting),
        Some(Mood::Halted),
        Some(Mood::Alarm),
    ];
    for (one, mood) in all.iter().enumerate() {
        for other in &all[one + 1..] {
            assert_ne!(first(*mood), first(*other));
        }
    }
}

#[test]
fn the_lamp_says_the_worst_first() {
    let calm = scene(Some(Mood::Calm));
    let lamp = |scene: &Scene| {
        let lamp = picture(scene, 0).lamp;
        (lamp.red, lamp.green, lamp.off_ms)
    };
    assert_eq!(lamp(&calm), (false, true, 4_900));
    assert_eq!(lamp(&Scene { degraded: true, ..calm.clone() }), (true, true, 500));
    assert_eq!(lamp(&scene(Some(Mood::Halted))), (true, false, 250));
    assert_eq!(lamp(&Scene { gone: true, ..scene(Some(Mood::Halted)) }), (true, false, 0));
    assert_eq!(lamp(&scene(None)), (true, true, 500));
}

proptest! {
    #[test]
    fn every_scene_has_a_picture_within_the_limits(
        mood in 0_usize..6, text in "\\PC{0,200}", value in proptest::option::of(any::<i64>()),
        change in proptest::option::of(any::<f64>()), second: u64,
    ) {
        let moods = [None, Some(Mood::Calm), Some(Mood::Working), Some(Mood::Waiting), Some(Mood::Halted), Some(Mood::Alarm)];
        let scene = Scene { mood: moods[mood], text, value, change, degraded: false, gone: false };
        let picture = picture(&scene, second);
        prop_assert!(picture.brightness <= 4);
        match picture.show {
            Show::Frame(frame) => {
                prop_assert!(frame.levels().iter().all(|level| *level <= LEVEL_MAX));
                prop_assert_eq!(frame.packed().len(), 52);
            }
            Show::Text { text, step_ms } => {
                prop_assert!(text.len() <= leds::TEXT_MAX && text.is_ascii());
                prop_assert!((20..=200).contains(&step_ms));
            }
        }
    }
}
