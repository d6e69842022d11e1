//! One connection to the microcontroller: what to send next, and what its answers mean. No socket, no clock.

use leds::{Picture, Show};
use protocol::{Frame, RpcError, TooLong, Value};

/// The heartbeat goes this often.
const HEARTBEAT_MS: u64 = 5_000;
/// After this long without a heartbeat the microcontroller shows "host lost", s.
const HEARTBEAT_TTL_S: i64 = 30;
/// Shortest time between two requests: four in a second.
const PAUSE_MS: u64 = 250;
/// An answer later than this is none.
const ANSWER_WITHIN_MS: u64 = 5_000;
/// Everything is sent again this often, whatever was lost.
const RESEND_MS: u64 = 60_000;
/// Names this side answers to.
const NAMES: [&str; 3] = ["ev.btn", "ev.boot", "ev.log"];
/// The router may still hold an earlier connection's names; they are tried again at each heartbeat until then.
const TAKEN: i64 = 5;

/// What something received means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing to do.
    Nothing,
    /// The microcontroller answers.
    Alive,
    /// It does not, or refuses.
    Trouble(String),
    /// The emergency stop is pressed.
    Pressed,
    /// Bytes to be sent back at once.
    Answer(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Register(usize),
    Heartbeat,
    Show,
    Brightness,
}

/// The state of a connection.
#[derive(Debug, Default)]
pub struct Session {
    next_id: u32,
    waiting: Option<(u32, Asked, u64)>,
    registered: usize,
    register_at: u64,
    heartbeat_at: Option<u64>,
    boots: Option<i64>,
    shown: Option<Show>,
    brightness: Option<u8>,
    sent_at: Option<u64>,
    resent_at: u64,
}

impl Session {
    /// The next request, if one is due. Times are milliseconds since the connection began.
    ///
    /// # Errors
    /// [`TooLong`], for a request that would jam the microcontroller; it is not tried again.
    pub fn next(&mut self, picture: &Picture, now: u64) -> Result<Option<Vec<u8>>, TooLong> {
        if let Some((_, _, since)) = self.waiting {
            if now.saturating_sub(since) < ANSWER_WITHIN_MS {
                return Ok(None);
            }
            self.waiting = None;
        }
        if self.sent_at.is_some_and(|sent| now.saturating_sub(sent) < PAUSE_MS) {
            return Ok(None);
        }
        if now.saturating_sub(self.resent_at) >= RESEND_MS {
            self.begin_again(now);
        }
        let Some((asked, method, params)) = self.due(picture, now) else { return Ok(None) };
        self.next_id = self.next_id.wrapping_add(1);
        self.sent_at = Some(now);
        let request = Frame::request(self.next_id, method, params)?;
        self.waiting = Some((self.next_id, asked, now));
        Ok(Some(request))
    }

    fn due(&mut self, picture: &Picture, now: u64) -> Option<(Asked, &'static str, Vec<Value>)> {
        if let Some(name) = NAMES.get(self.registered).filter(|_| now >= self.register_at) {
            return Some((Asked::Register(self.registered), "$/register", vec![(*name).into()]));
        }
        if self.heartbeat_at.is_none_or(|last| now.saturating_sub(last) >= HEARTBEAT_MS) {
            self.heartbeat_at = Some(now);
            return Some((Asked::Heartbeat, "hb", vec![HEARTBEAT_TTL_S.into()]));
        }
        if self.brightness != Some(picture.brightness) {
            self.brightness = Some(picture.brightness);
            return Some((Asked::Brightness, "br", vec![Value::Int(picture.brightness.into())]));
        }
        if self.shown.as_ref() != Some(&picture.show) {
            self.shown = Some(picture.show.clone());
            let (method, params) = match &picture.show {
                Show::Frame(frame) => ("fr", vec![Value::Text(frame.packed())]),
                Show::Text { text, step_ms } => {
                    ("tx", vec![Value::Text(text.clone()), Value::Int((*step_ms).into()), Value::Int(0)])
                }
            };
            return Some((Asked::Show, method, params));
        }
        None
    }

    /// Forgets what was sent, so that all of it is sent again.
    fn begin_again(&mut self, now: u64) {
        (self.shown, self.brightness, self.resent_at) = (None, None, now);
    }

    /// Understands one message.
    pub fn heard(&mut self, frame: Frame, now: u64) -> Heard {
        match frame {
            Frame::Response { id, result } => self.response(id, result, now),
            // The microcontroller would wait for ever for an answer.
            Frame::Request { id, .. } => {
                let error = RpcError { code: Some(254), text: "not found".into() };
                Heard::Answer(Frame::Response { id, result: Err(error) }.encode())
            }
            Frame::Notification { method, params } => self.notified(&method, &params, now),
        }
    }

    fn response(&mut self, id: u32, result: Result<Value, RpcError>, now: u64) -> Heard {
        // A late answer to something given up is nobody's.
        let Some((_, asked, _)) = self.waiting.take_if(|(waited, _, _)| *waited == id) else {
            return Heard::Nothing;
        };
        match (asked, result) {
            (Asked::Register(place), Ok(_)) => {
                self.registered = place + 1;
                Heard::Nothing
            }
            (Asked::Register(_), Err(error)) => {
                self.register_at = now + HEARTBEAT_MS;
                if error.code == Some(TAKEN) { Heard::Nothing } else { Heard::Trouble(error.text) }
            }
            (Asked::Heartbeat, Ok(status)) => self.status(status.as_int().unwrap_or(0), now),
            (Asked::Show | Asked::Brightness, Ok(_)) => Heard::Nothing,
            (_, Err(error)) => Heard::Trouble(error.text),
        }
    }

    /// Bit 0: emergency stop latched; bits 8–15: how often it has started.
    fn status(&mut self, status: i64, now: u64) -> Heard {
        let boots = status >> 8 & 0xff;
        if self.boots.replace(boots).is_some_and(|before| before != boots) {
            self.begin_again(now);
        }
        if status & 1 == 1 { Heard::Pressed } else { Heard::Alive }
    }

    fn notified(&mut self, method: &str, params: &[Value], now: u64) -> Heard {
        match (method, params) {
            ("ev.btn", [Value::Int(1), Value::Bool(true), ..]) => Heard::Pressed,
            ("ev.boot", _) => {
                self.begin_again(now);
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use leds::{Mood, Scene, picture};
    use protocol::{Decoder, Item};

    use super::*;

    fn shown(text: &str) -> Picture {
        let mood = Some(Mood::Working);
        let text = text.to_string();
        picture(&Scene { mood, text, value: None, change: None, degraded: false, gone: false }, 0)
    }

    fn request(session: &mut Session, picture: &Picture, now: u64) -> Option<(u32, String)> {
        let bytes = session.next(picture, now).unwrap()?;
        let mut decoder = Decoder::default();
        decoder.feed(&bytes);
        match decoder.next_item().unwrap().unwrap() {
            Item::Frame(Frame::Request { id, method, .. }) => Some((id, method)),
            other => panic!("{other:?}"),
        }
    }

    fn answer(session: &mut Session, id: u32, value: i64, now: u64) -> Heard {
        session.heard(Frame::Response { id, result: Ok(Value::Int(value)) }, now)
    }

    /// Sends and answers everything due until nothing is, from a time on; gives the methods.
    fn settle(session: &mut Session, picture: &Picture, from: u64) -> Vec<String> {
        let mut sent = Vec::new();
        for now in (from..from + 4_000).step_by(250) {
            if let Some((id, method)) = request(session, picture, now) {
                answer(session, id, 0, now);
                sent.push(method);
            }
        }
        sent
    }

    #[test]
    fn a_connection_registers_beats_and_shows() {
        let mut session = Session::default();
        let sent = settle(&mut session, &shown("a"), 0);
        assert_eq!(sent, ["$/register", "$/register", "$/register", "hb", "br", "tx"]);
        assert_eq!(settle(&mut session, &shown("b"), 4_000), ["tx", "hb"]);
    }

    #[test]
    fn never_two_requests_in_flight_and_a_late_answer_disturbs_nothing() {
        let mut session = Session::default();
        let (first, _) = request(&mut session, &shown("a"), 0).unwrap();
        assert_eq!(request(&mut session, &shown("a"), 4_999), None);
        let (second, _) = request(&mut session, &shown("a"), 5_000).unwrap();
        assert_eq!(answer(&mut session, first, 1, 5_001), Heard::Nothing);
        assert_eq!(request(&mut session, &shown("a"), 5_500), None, "the second is still waited for");
        assert_ne!(first, second);
    }

    #[test]
    fn a_storm_of_pictures_sends_four_a_second_and_the_newest_last() {
        let mut session = Session::default();
        settle(&mut session, &shown("start"), 0);
        let mut sent = 0;
        for now in 4_000..5_000 {
            if let Some((id, _)) = request(&mut session, &shown(&format!("text {now}")), now) {
                answer(&mut session, id, 0, now);
                sent += 1;
            }
        }
        assert!(sent <= 4, "{sent}");
        assert!(settle(&mut session, &shown("last"), 6_000).contains(&"tx".to_string()));
        assert_eq!(session.shown, Some(shown("last").show));
    }

    #[test]
    fn the_stop_is_heard_from_the_status_and_from_the_notification() {
        let mut session = Session { registered: 3, ..Session::default() };
        let (id, _) = request(&mut session, &shown("a"), 0).unwrap();
        assert_eq!(answer(&mut session, id, 1, 0), Heard::Pressed);
        let button = |down: bool, which: i64| Frame::Notification {
            method: "ev.btn".into(),
            params: vec![which.into(), down.into(), 1.into()],
        };
        assert_eq!(session.heard(button(true, 1), 0), Heard::Pressed);
        assert_eq!(session.heard(button(false, 1), 0), Heard::Nothing);
        assert_eq!(session.heard(button(true, 2), 0), Heard::Nothing);
    }

    #[test]
    fn a_restart_of_the_microcontroller_brings_the_picture_back() {
        let mut session = Session::default();
        settle(&mut session, &shown("a"), 0);
        session.status(0x0100, 4_000);
        assert!(settle(&mut session, &shown("a"), 4_000).contains(&"tx".to_string()));
        let boot = Frame::Notification { method: "ev.boot".into(), params: vec![] };
        assert_eq!(session.heard(boot, 9_000), Heard::Nothing);
        assert!(settle(&mut session, &shown("a"), 9_000).contains(&"tx".to_string()));
    }

    #[test]
    fn everything_is_sent_again_once_a_minute() {
        let mut session = Session::default();
        settle(&mut session, &shown("a"), 0);
        assert_eq!(settle(&mut session, &shown("a"), 50_000), ["hb"]);
        assert_eq!(settle(&mut session, &shown("a"), 60_000), ["hb", "br", "tx"]);
    }

    #[test]
    fn a_name_that_is_still_taken_is_tried_again_and_other_errors_are_trouble() {
        let mut session = Session::default();
        let refuse = |session: &mut Session, now: u64, code: i64| {
            let (id, method) = request(session, &shown("a"), now).unwrap();
            let error = RpcError { code: Some(code), text: "no".into() };
            (method, session.heard(Frame::Response { id, result: Err(error) }, now))
        };
        assert_eq!(refuse(&mut session, 0, 5), ("$/register".into(), Heard::Nothing));
        assert_eq!(refuse(&mut session, 250, 2), ("hb".into(), Heard::Trouble("no".into())));
        let again = request(&mut session, &shown("a"), 5_500).unwrap();
        assert_eq!(again.1, "$/register");
    }

    #[test]
    fn the_microcontrollers_own_requests_are_answered() {
        let mut session = Session::default();
        let asked = Frame::Request { id: 9, method: "x".into(), params: vec![] };
        assert!(matches!(session.heard(asked, 0), Heard::Answer(bytes) if bytes.starts_with(&[0x94, 1, 9])));
    }
}
