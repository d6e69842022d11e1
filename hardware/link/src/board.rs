//! The tasks that talk to the devices: the router's socket, LED1, and the button. Wall time only.

use std::{io, sync::Arc, time::Duration};

use leds::{lamp, picture};
use protocol::{Decoder, Item};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    button::Button,
    desk::Desk,
    lamp::Led1,
    session::{Heard, Session},
    settings::Settings,
    stage::BoardEvent,
};

/// A board that is not there is looked for this often.
const ABSENT_PAUSE: Duration = Duration::from_secs(60);
/// A connection that broke is made again after this.
const BROKEN_PAUSE: Duration = Duration::from_secs(3);
/// How often something may be sent.
const TURN: Duration = Duration::from_millis(250);
/// How often LED1 follows the scene.
const LAMP_EVERY: Duration = Duration::from_secs(1);
/// How often the button is looked at.
const BUTTON_EVERY: Duration = Duration::from_millis(50);
/// A button that stays pressed says so again after this.
const PRESSED_AGAIN: Duration = Duration::from_secs(5);
/// The router takes what it is sent within this.
const WRITE_WITHIN: Duration = Duration::from_secs(2);

/// Where events go. When nobody takes them the newest is left out: every one of them is said again.
#[derive(Clone)]
pub(crate) struct Events(pub(crate) mpsc::Sender<BoardEvent>);

impl Events {
    fn say(&self, event: BoardEvent) {
        drop(self.0.try_send(event));
    }
}

/// Says whether the board answers, once per change.
struct Reported(Option<Result<(), String>>);

impl Reported {
    fn note(&mut self, events: &Events, state: Result<(), String>) {
        if self.0.as_ref() != Some(&state) {
            self.0 = Some(state.clone());
            events.say(BoardEvent::Board(state));
        }
    }
}

/// Keeps a connection to the router, for ever.
pub(crate) async fn draw(desk: Arc<Desk>, settings: Settings, events: Events) {
    let mut reported = Reported(None);
    loop {
        match UnixStream::connect(&settings.router_socket).await {
            Ok(mut stream) => {
                if let Err(error) = converse(&mut stream, &desk, &events, &mut reported).await {
                    reported.note(&events, Err(error.to_string()));
                }
                sleep(BROKEN_PAUSE).await;
            }
            Err(error) => {
                let socket = settings.router_socket.display();
                reported.note(&events, Err(format!("{socket}: {}", error.kind())));
                let absent = error.kind() == io::ErrorKind::NotFound;
                sleep(if absent { ABSENT_PAUSE } else { BROKEN_PAUSE }).await;
            }
        }
    }
}

async fn converse(
    stream: &mut UnixStream,
    desk: &Desk,
    events: &Events,
    reported: &mut Reported,
) -> io::Result<()> {
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (mut session, mut decoder) = (Session::default(), Decoder::default());
    let mut turns = interval(TURN);
    let mut bytes = [0_u8; 1_024];
    loop {
        tokio::select! {
            biased;
            count = stream.read(&mut bytes) => {
                let count = count?;
                if count == 0 {
                    return Err(io::Error::other("the router closed the connection"));
                }
                decoder.feed(bytes.get(..count).unwrap_or_default());
                while let Some(item) = decoder.next_item().map_err(io::Error::other)? {
                    let answer = understand(item, &mut session, now(), events, reported);
                    if let Some(answer) = answer {
                        write(stream, &answer).await?;
                    }
                }
            }
            _ = turns.tick() => {
                let picture = picture(&desk.scene(), began.elapsed().as_secs());
                match session.next(&picture, now()) {
                    Ok(Some(request)) => write(stream, &request).await?,
                    Ok(None) => {}
                    Err(error) => warn!(%error, "A request was not sent."),
                }
            }
        }
    }
}

fn understand(
    item: Item,
    session: &mut Session,
    now: u64,
    events: &Events,
    reported: &mut Reported,
) -> Option<Vec<u8>> {
    let frame = match item {
        Item::Frame(frame) => frame,
        Item::Skipped(reason) => {
            debug!(%reason, "Skipped.");
            return None;
        }
    };
    match session.heard(frame, now) {
        Heard::Nothing => {}
        Heard::Alive => reported.note(events, Ok(())),
        Heard::Trouble(why) => reported.note(events, Err(why)),
        Heard::Pressed => {
            reported.note(events, Ok(()));
            events.say(BoardEvent::Pressed { button: "estop" });
        }
        Heard::Answer(bytes) => return Some(bytes),
    }
    None
}

async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(WRITE_WITHIN, stream.write_all(bytes))
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the router takes nothing")))
}

/// Lets LED1 follow the scene.
pub(crate) async fn light(desk: Arc<Desk>, mut led: Led1) {
    let mut turns = interval(LAMP_EVERY);
    loop {
        turns.tick().await;
        led.show(lamp(&desk.scene()));
    }
}

/// Watches a button. A line that cannot be read any more counts as pressed: a broken wire must not disarm it.
pub(crate) async fn watch(mut button: Button, events: Events) {
    let mut turns = interval(BUTTON_EVERY);
    let mut said: Option<Instant> = None;
    loop {
        turns.tick().await;
        let pressed = button.is_pressed().unwrap_or(true);
        if !pressed {
            said = None;
        } else if said.is_none_or(|said| said.elapsed() >= PRESSED_AGAIN) {
            said = Some(Instant::now());
            events.say(BoardEvent::Pressed { button: "stop button" });
        }
    }
}
