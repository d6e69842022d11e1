//! Starts the device tasks and hands the stage what happens there.

use std::future::pending;

use bus_client::{Edge, Engine};
use tokio::sync::{Mutex, mpsc};

use crate::{
    board::{Events, draw, light, watch},
    button::Button,
    lamp::Led1,
    stage::{BoardEvent, Hardware, NextEvent},
};

/// Events that may wait for the stage.
const EVENTS_MAX: usize = 64;

/// The board as the stage sees it: a source of events.
pub struct BoardEdge {
    events: Mutex<mpsc::Receiver<BoardEvent>>,
}

impl BoardEdge {
    /// Starts what there is. A board or an LED that is missing is no error.
    ///
    /// # Errors
    /// One sentence, when a stop button is configured that cannot be read: a button that does nothing is worse than
    /// none.
    pub fn open(engine: &Engine<Hardware>) -> Result<BoardEdge, String> {
        let settings = engine.start().settings.clone();
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        let events = Events(sender);
        if let Some(line) = settings.stop_button_gpio {
            let button = Button::open(line).map_err(|error| {
                format!(
                    "[stage.hardware] `stop_button_gpio` is {line}, but that line cannot be read: {error}"
                )
            })?;
            tokio::spawn(watch(button, events.clone()));
        }
        if let Some(led) = Led1::find(&settings.leds) {
            tokio::spawn(light(engine.stage().desk(), led));
        }
        tokio::spawn(draw(engine.stage().desk(), settings, events));
        Ok(BoardEdge { events: Mutex::new(receiver) })
    }
}

impl Edge<Hardware> for BoardEdge {
    async fn perform(&self, _: NextEvent) -> BoardEvent {
        match self.events.lock().await.recv().await {
            Some(event) => event,
            None => pending().await,
        }
    }
}
